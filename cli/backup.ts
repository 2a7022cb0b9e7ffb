import { lstat, open, rename, unlink } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { readBackup } from '../core/backup.ts'
import { GatewayError, reason } from '../core/errors.ts'
import { syncFolder } from '../lib/atomic-file.ts'
import { connect } from './client.ts'
import { connectionFlags } from './connection.ts'
import { print, printJson } from './output.ts'
import { verb } from './verb.ts'

export default verb({
  about:
    'Workloads, certificates with their keys, traffic sums and what plugins keep, as they are at one moment, while the gateway runs.\n' +
    'Only over the unix socket. The file (mode 0600) is read back before it takes the place of an earlier one of its name.',
  args: {
    file: { type: 'positional', required: true, description: 'File to write, or - for standard output; it holds private keys' },
    json: connectionFlags.json,
    root: connectionFlags.root,
    socket: connectionFlags.socket,
  },
  examples: [
    'gateway backup /var/backups/gateway.backup',
    'gateway backup - | ssh backup.example "umask 077; cat > gateway.backup"',
  ],
  run: async ({ file, ...flags }) => {
    const path = resolve(file)
    if (file !== '-') await refuseOther(path)
    const temp = `${path}.${process.pid}.tmp`
    const chunks: Buffer[] = []
    for await (const chunk of await connect(flags).stream('/v1/backup', {})) chunks.push(Buffer.from(chunk))
    const content = Buffer.concat(chunks)
    const { routes, certificates } = readBackup(content.toString())
    if (file === '-') return void process.stdout.write(content)
    try {
      const handle = await open(temp, 'wx', 0o600)
      try {
        await handle.chmod(0o600)
        await handle.writeFile(content)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(temp, path)
      await syncFolder(dirname(path))
    } catch (cause) {
      await unlink(temp).catch(() => undefined)
      throw new GatewayError('STORAGE', `${path} cannot be written: ${reason(cause)}`, 'give a file in a folder with room', {
        cause,
      })
    }
    if (flags.json) return printJson({ file: path, routes, certificates, bytes: content.length })
    print(`${path}: ${routes} workloads, ${certificates} certificates`)
  },
})

/** A pipe, device or link is another program's: a rename would put a file in its place. */
const refuseOther = async (path: string): Promise<void> => {
  const found = await lstat(path).catch(() => undefined)
  if (found && !found.isFile())
    throw new GatewayError(
      'BAD_REQUEST',
      `${path} is no plain file, and a backup replaces no link, pipe, device or folder`,
      'name a file, or - for standard output',
    )
}
