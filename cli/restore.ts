import { resolve } from 'node:path'
import { readBackup } from '../core/backup.ts'
import { GatewayError, reason } from '../core/errors.ts'
import { restoreBackup } from '../core/restore-backup.ts'
import { readPlainFile } from '../lib/plain-file.ts'
import { readFlags } from './flags.ts'
import { chooseConfig, loadConfig } from './load-config.ts'
import { print, printJson } from './output.ts'
import { defaultRoot } from './place.ts'
import { verb } from './verb.ts'

/** A string of V8 holds no more. */
const mostBytes = 512 * 1_048_576 - 32

export default verb({
  about:
    'Brings back what `gateway backup` wrote, into a root that has nothing yet, of a gateway that does not run; it serves it from its\n' +
    'next start on. All of it or nothing: a file that is cut off or was changed is refused.',
  args: {
    file: { type: 'positional', required: true, description: 'File that `gateway backup` wrote' },
    root: { type: 'string', valueHint: 'folder', description: 'Root of the gateway (or GATEWAY_ROOT)' },
    config: { type: 'string', valueHint: 'file', description: 'Its config file, which names the store' },
    preset: { type: 'string', valueHint: 'local|zos', description: 'Its set of plugins, instead of a config file' },
    json: { type: 'boolean', description: 'Answer in JSON' },
  },
  examples: ['gateway restore /var/backups/gateway.backup --root /var/lib/gateway'],
  run: async ({ file, json, ...given }) => {
    const { config: named, preset, ...flags } = readFlags(given, process.env)
    const { config } = await loadConfig(chooseConfig(named, preset), flags, preset)
    const root = resolve(flags.root ?? config.root ?? defaultRoot())
    const text = await readPlainFile(file, mostBytes).catch((cause) => {
      throw new GatewayError('NOT_FOUND', `${file} cannot be read: ${reason(cause)}`, 'give a file that `gateway backup` wrote', {
        cause,
      })
    })
    const backup = readBackup(text)
    await restoreBackup(config, root, backup)
    const { routes, certificates } = backup
    if (json) return printJson({ root, routes, certificates })
    print(`${root}: ${routes} workloads, ${certificates} certificates`)
  },
})
