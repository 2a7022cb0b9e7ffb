import { resolve } from 'node:path'
import { importDrafts } from '../core/import.ts'
import { leftDraft } from '../core/parse.ts'
import { copyAcme } from '../lib/left-routes/acme.ts'
import { readLeft } from '../lib/left-routes/folder.ts'
import { readFlags } from './flags.ts'
import { leftFolders, volatile } from './left-folders.ts'
import { chooseConfig, loadConfig } from './load-config.ts'
import { print, printJson, printTable } from './output.ts'
import { defaultRoot } from './place.ts'
import { verb } from './verb.ts'

export default verb({
  about:
    'Reads the route files of the Go gateway module and adds them to the store of a gateway that does not run; nothing is checked\n' +
    'against them, and they are served from its next start on. Certificates of Traefik (acme.json, acme2.json) come along.\n' +
    'What cannot be taken over is listed with the reason, and the command then ends with 2. Nothing is deleted.',
  args: {
    from: {
      type: 'string',
      valueHint: 'folder',
      description: `Root of the other gateway, or its folder of route files (default: ${volatile}, then the root)`,
    },
    root: { type: 'string', valueHint: 'folder', description: 'Root of the gateway that takes them (or GATEWAY_ROOT)' },
    config: { type: 'string', valueHint: 'file', description: 'Its config file, which names the store' },
    preset: { type: 'string', valueHint: 'local|zos', description: 'Its set of plugins, instead of a config file' },
    'dry-run': { type: 'boolean', description: 'Say what would be taken over, and do nothing' },
    json: { type: 'boolean', description: 'Print JSON' },
  },
  examples: [
    'gateway import --preset zos --root /var/cache/modules/gateway',
    'gateway import --from /mnt/old/gateway --root /var/lib/zos-gateway --dry-run',
  ],
  run: async (given) => {
    const { config: named, preset, ...flags } = readFlags(given, process.env)
    const { config } = await loadConfig(chooseConfig(named, preset), flags, preset)
    const root = resolve(flags.root ?? config.root ?? defaultRoot())
    const from = given.from === undefined ? undefined : resolve(given.from)
    const left = await readLeft(leftFolders(from, root))
    const drafts = left.routes.map(leftDraft)
    const dry = given['dry-run'] === true
    const added = dry ? { routes: drafts, refused: [] } : await importDrafts(config, root, drafts)
    const acme = dry || from === undefined || from === root ? { copied: [], left: [] } : await copyAcme(from, root)
    const refused = added.refused.map(({ draft, why }) => ({ id: draft.id, host: draft.host, why }))
    const unread = [...left.unread, ...acme.left]
    if (refused.length + unread.length > 0) process.exitCode = 2
    const routes = added.routes.map(({ id, host, backends, passthrough }) => ({ id, host, backends, passthrough }))
    if (given.json) return printJson({ routes, refused, unread, acme: acme.copied })
    await printTable(
      ['ID', 'HOST', 'BACKENDS', 'TLS'],
      routes.map(({ id, host, backends, passthrough }) => [
        id,
        host,
        backends.join(' '),
        passthrough ? 'passthrough' : 'terminated',
      ]),
      'no workloads are taken over',
    )
    for (const path of acme.copied) print(`copied ${path}`)
    for (const { id, host, why } of refused) process.stderr.write(`not taken over: ${id} (${host}): ${why}\n`)
    for (const { path, why } of unread) process.stderr.write(`not taken over: ${path}: ${why}\n`)
    print(`${routes.length} ${dry ? 'would be taken over' : 'taken over'}, ${refused.length + unread.length} not`)
  },
})
