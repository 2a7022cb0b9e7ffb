import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve } from 'node:path'

/** The path of a program: of its own where it has a slash, else the first in PATH; `undefined` where there is none to execute. */
export const findProgram = (command: string): string | undefined => {
  const paths = command.includes('/')
    ? [resolve(command)]
    : (process.env.PATH ?? '').split(delimiter).flatMap((folder) => (isAbsolute(folder) ? [join(folder, command)] : []))
  return paths.find(isExecutable)
}

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
