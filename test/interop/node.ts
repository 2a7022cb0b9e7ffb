import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { ipPath } from '../kit/programs.ts'
import { startZinit, type ZinitServer } from '../plugins/service/zinit/start.ts'

const run = promisify(execFile)

/** The domain of the node. */
export const domain = 'gent01.grid.tf'
/** The host that the Go module left a route for. */
export const leftHost = `left.${domain}`

/** The config file of a node: its preset, with these plugins, as they are written, in the place of those of the same name. Its path. */
export const nodeConfig = (folder: string, own: readonly string[]): string => {
  const file = join(folder, 'gateway.config.mts')
  const factories = own.map((plugin) => plugin.slice(0, plugin.indexOf('(')))
  writeFileSync(
    file,
    `import { defineGateway } from 'zos-gateway'
import { ${factories.join(', ')} } from 'zos-gateway/plugins'
import { zos } from 'zos-gateway/presets'
export default defineGateway((flags) => {
  const own = [
    ${own.join(',\n    ')},
  ]
  return { plugins: zos(flags).map((plugin) => own.find(({ name }) => name === plugin.name) ?? plugin) }
})
`,
  )
  return file
}

/** A file of the Go module's for a name workload, in the folder where it kept them once. */
export const leaveRoute = (root: string, port: number): void => {
  mkdirSync(join(root, 'proxy'))
  const router = `rule: Host(\`${leftHost}\`), service: 40-1976-left, tls: {certResolver: dnsresolver, domains: [{sans: ['*.${domain}']}]}`
  const service = `loadbalancer: {servers: [{url: "http://127.0.0.1:${port}"}]}`
  const file = `http: {routers: {40-1976-left-route: {${router}}}, services: {40-1976-left: {${service}}}}`
  writeFileSync(join(root, 'proxy', '40-1976-left.yaml'), file)
}

/** The zinit of a node, which a reboot ends with all that it runs and with all units but those of the image: none. */
export const nodeZinit = (root: string) => {
  let zinit: ZinitServer = startZinit(root)
  onTestFinished(() => zinit.close())
  const plugin = `zinit({ socket: '${zinit.socket}', folder: '${zinit.folder}' })`
  return {
    plugin,
    get now() {
      return zinit
    },
    async reboot(): Promise<void> {
      await zinit.close()
      rmSync(zinit.folder, { recursive: true })
      zinit = startZinit(root)
      await zinit.ready
    },
  }
}

/** A network namespace that comes and goes, with a backend on port 9000 in it. */
export const publicNamespace = () => {
  const name = `zosgw-p-${process.pid}`
  let backend: ChildProcess | undefined
  const remove = async () => {
    backend?.kill()
    await run(ipPath(), ['netns', 'del', name]).catch(() => undefined)
  }
  onTestFinished(remove)
  return {
    name,
    remove,
    async make(text: string): Promise<void> {
      await run(ipPath(), ['netns', 'add', name])
      await run(ipPath(), ['-n', name, 'link', 'set', 'lo', 'up'])
      const serve = `require('http').createServer((_, r) => r.end('${text}')).listen(9000, '127.0.0.1', () => console.log('up'))`
      backend = spawn(ipPath(), ['netns', 'exec', name, process.execPath, '-e', serve], { stdio: ['ignore', 'pipe', 'inherit'] })
      if (backend.stdout) await once(backend.stdout, 'data')
    },
    /** What a client in there gets from a host. */
    async get(host = leftHost): Promise<string> {
      const curl = ['curl', '-sk', '--max-time', '30', '--resolve', `${host}:443:127.0.0.1`, `https://${host}/`]
      return run(ipPath(), ['netns', 'exec', name, ...curl]).then(({ stdout }) => stdout, String)
    },
  }
}
