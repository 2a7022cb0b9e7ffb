import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The path of a command; undefined where it is not installed. */
export const find = (command: string): string | undefined =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/local/go/bin', '/usr/sbin']
    .map((folder) => join(folder, command))
    .find(isExecutable)

/** The same, saying how to get it where it is missing. */
export const need = (command: string, advice: string): string => {
  const found = find(command)
  if (found) return found
  throw new Error(`this figure needs ${command}: ${advice}`)
}

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
