import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { checkConfig } from '../core/config.ts'
import { handOver } from '../core/import.ts'
import { leaveFolder, leftFiles, stale } from '../lib/left-routes/leave.ts'
import { leftChildren } from '../lib/supervision/child-records.ts'
import { readFlags } from './flags.ts'
import { volatile } from './left-folders.ts'
import { chooseConfig, loadConfig } from './load-config.ts'
import { print, printJson, printTable } from './output.ts'
import { defaultRoot } from './place.ts'
import { verb } from './verb.ts'

export default verb({
  about:
    'For a gateway that does not run: writes its workloads to <root>/proxy as the Go gateway module has them, from where that\n' +
    'one starts, removes what it left in its volatile folder before, and ends what still serves (Traefik, dnsmasq, the relay).\n' +
    'Certificates stay where both have them. What cannot be left is listed, and the command then ends with 2.\n' +
    'Start the Go module next. A later start of this gateway takes the workloads over again.',
  args: {
    root: { type: 'string', valueHint: 'folder', description: 'Root of the gateway, and of the Go module (or GATEWAY_ROOT)' },
    volatile: { type: 'string', valueHint: 'folder', description: `Volatile folder of the Go module (default: ${volatile})` },
    config: { type: 'string', valueHint: 'file', description: 'Config file of the gateway, which names the store' },
    preset: { type: 'string', valueHint: 'local|zos', description: 'Its set of plugins, instead of a config file' },
    supervisor: {
      type: 'string',
      valueHint: 'zinit|processes',
      description: 'What kept Traefik and the others alive (preset zos), as the gateway was run with it',
    },
    'dry-run': { type: 'boolean', description: 'Say what would be left, and do nothing' },
    json: { type: 'boolean', description: 'Print JSON' },
  },
  examples: ['gateway rollback --preset zos --root /var/cache/modules/gateway'],
  run: async (given) => {
    const { config: named, preset, ...flags } = readFlags(given, process.env)
    const { config } = await loadConfig(chooseConfig(named, preset), flags, preset)
    const root = resolve(flags.root ?? config.root ?? defaultRoot())
    const dry = given['dry-run'] === true
    const proxy = join(root, 'proxy')
    const running = (await Promise.all(checkConfig(config).plugins.map((plugin) => plugin.leftRunning?.(root) ?? []))).flat()
    const bridgeEnds = (id: string) => running.some(({ name }) => name === `nnc-${id}` || name.startsWith(`nnc-${id}.`))
    const done = await handOver(
      config,
      root,
      async (routes) => {
        const { files, unwritten } = await leftFiles(routes, proxy, bridgeEnds)
        if (!dry) await leaveFolder(proxy, files)
        const removed = await stale(join(resolve(given.volatile ?? volatile), 'proxy'))
        if (!dry) for (const path of removed) await rm(path, { force: true })
        const left = routes.filter(({ id }) => files.has(`${id}.yaml`))
        return { left, unwritten, removed }
      },
      dry,
    )
    if (!dry) await Promise.all(running.map((one) => one.end()))
    const ended = running.map(({ name, pid }) => (pid > 0 ? `${name} (pid ${pid})` : name))
    const { left = [], unwritten = [], removed = [] } = done ?? {}
    const strays = (await leftChildren(root)).filter(({ pid }) => !running.some((one) => one.pid === pid))
    const still = strays.map(({ name, pid }) => `${name} (pid ${pid})`)
    if (unwritten.length + still.length > 0) process.exitCode = 2
    const routes = left.map(({ id, host, backends, passthrough }) => ({ id, host, backends, passthrough }))
    if (given.json) return printJson({ routes, unwritten, removed, ended, still })
    if (!done) print('this gateway has no workloads and has taken none over: there is nothing to leave')
    else
      await printTable(
        ['ID', 'HOST', 'BACKENDS'],
        routes.map(({ id, host, backends }) => [id, host, backends.join(' ')]),
        'no workloads',
      )
    for (const path of removed) print(`${dry ? 'would remove' : 'removed'} ${path}`)
    for (const name of ended) print(`${dry ? 'would end' : 'ended'} ${name}`)
    for (const name of still)
      process.stderr.write(`still runs: ${name}, since this config has no processes(): use the one that the gateway ran with\n`)
    for (const { id, host, why } of unwritten) process.stderr.write(`not left: ${id} (${host}): ${why}; have it set again\n`)
    if (done) print(`${routes.length} ${dry ? 'would be left' : 'left'} in ${proxy}, ${unwritten.length} not`)
  },
})
