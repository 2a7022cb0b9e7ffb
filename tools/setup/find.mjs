import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where daemons and `ip` live, which a user's PATH often leaves out. */
const beside = ['/usr/sbin', '/sbin', '/usr/local/sbin']

/** The path of a command, or undefined. */
export function find(command, folders = [...(process.env.PATH ?? '').split(delimiter), ...beside]) {
  return folders.map((folder) => join(folder, command)).find(isExecutable)
}

export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
