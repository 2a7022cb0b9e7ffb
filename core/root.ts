import { chmodSync, constants, existsSync, lstatSync, mkdirSync, statSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { GatewayError, reason } from './errors.ts'

/** Makes the folder of the state if it is not there, for this user only. Rejects with ROOT_UNUSABLE. */
export const openRoot = async (root: string): Promise<void> => {
  const unusable = (why: string, cause?: unknown) =>
    new GatewayError('ROOT_UNUSABLE', `the root ${root} ${why}`, 'give a folder that this user may write to with --root', {
      cause,
    })
  try {
    makeFolder(root, 0o700)
  } catch (error) {
    throw unusable(`cannot be made: ${reason(error)}`, error)
  }
  // Where systemd gives a service a user of its own, the folder of its state is reached by a link of root's.
  const [link, own] = [lstatSync(resolve(root)), process.getuid?.()]
  if (link.isSymbolicLink() && link.uid !== 0 && link.uid !== own) throw unusable('is a symbolic link of another user')
  const found = statSync(root)
  if (!found.isDirectory()) throw unusable('is not a folder')
  await access(root, constants.W_OK | constants.X_OK).catch((error) => {
    throw unusable('is not writable', error)
  })
  // Keys are below it: nobody else has business here, whatever the umask or an earlier owner left.
  if ((found.mode & 0o077) !== 0 && found.uid === own) chmodSync(root, 0o700)
}

/** Step by step: `recursive` of Node never returns where a folder such as /proc takes no new ones. What is above the root is for others too. */
const makeFolder = (path: string, mode?: number): void => {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  mkdirSync(path, { mode })
}
