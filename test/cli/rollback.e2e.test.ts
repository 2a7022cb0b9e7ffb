import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { buildGo } from '../interop/go.ts'
import { loadedByModule, moduleFolders } from '../interop/reference.ts'
import { freePort } from '../kit/index.ts'
import { endKept, isRunning, keptChildren } from '../kit/kept.ts'
import { gatewayProcess } from './gateway-process.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/left-routes/${name}`, import.meta.url))

let reference: string
beforeAll(async () => {
  reference = await buildGo(new URL('../interop/', import.meta.url), 'reference')
})

const gateway = async (cwd: string, ...args: string[]) => {
  await using process = gatewayProcess(args, { cwd })
  const code = await process.ended
  return { code, stdout: process.stdout, stderr: process.stderr }
}

/** A root that took over what the Go module had in its volatile folder, and changed it since. */
const moved = async () => {
  const at = moduleFolders()
  cpSync(fixture('proxy'), at.proxy, { recursive: true })
  const flags = ['--root', at.root]
  expect((await gateway(at.root, 'import', ...flags, '--from', at.volatile)).code).toBe(0)
  const [http, https, api] = [await freePort(), await freePort(), await freePort()]
  const ports = ['--http', `${http}`, '--https', `${https}`, '--api', `${api}`]
  const config = join(at.root, 'gateway.config.mjs')
  // Without a health check of DNS and without a domain of its own: what counts here is what is set.
  writeFileSync(
    config,
    `import { local } from 'zos-gateway/presets'
import { backends, staticNode } from 'zos-gateway/plugins'
const own = [staticNode({ domain: 'gent01.grid.tf', ipv4: '192.0.2.1' }), backends({ private: true })]
export default (flags) => ({ plugins: local(flags).map((plugin) => own.find(({ name }) => name === plugin.name) ?? plugin) })
`,
  )
  const run = ['--config', config, ...flags, ...ports, '--broker', `unix://${at.root}/no-redis.sock`]
  await using running = gatewayProcess(run, { cwd: at.root })
  await running.until('is up: 5 routes')
  const verb = async (...args: string[]) => {
    const done = await gateway(at.root, ...args, ...flags)
    expect([done.code, done.stderr]).toEqual([0, ''])
  }
  await verb('delete', '40-1978-private')
  await verb('set-name', '50-1-two', 'two', 'http://10.20.2.5:9000', 'http://10.20.2.6:9000')
  await verb('set-name', '--passthrough', '50-2-tls', 'tls', 'https://10.20.2.7:443')
  running.signal('SIGTERM')
  expect(await running.ended).toBe(0)
  return { ...at, config }
}
const hosts = {
  'example.org': '37-2039-own',
  'remote.omar.grid.tf': '37-2039-tls',
  'shop.gent01.grid.tf': '40-1976-shop',
  'vault.gent01.grid.tf': '40-1977-tlsname',
  'two.gent01.grid.tf': '50-1-two',
  'tls.gent01.grid.tf': '50-2-tls',
}

test('rollback leaves what the Go module starts from, and nothing that it would bring back or cannot read', async () => {
  const at = await moved()
  const proxy = join(at.root, 'proxy')
  mkdirSync(proxy, { recursive: true })
  // What the gateway keeps there while it feeds Traefik by files, and a stranger's.
  for (const name of ['gateway.shared.yaml', 'certificate.0123.yaml', '40-1978-private.yaml', '.half.0123456789ab.tmp'])
    cpSync(join(at.proxy, '40-1978-private.yaml'), join(proxy, name))
  writeFileSync(join(proxy, 'notes.txt'), 'mine')
  writeFileSync(join(at.proxy, 'odd.yaml'), 'nobody: reads this')
  const flags = ['--config', at.config, '--root', at.root, '--volatile', at.volatile]

  const before = readdirSync(proxy)
  const dry = await gateway(at.root, 'rollback', ...flags, '--dry-run', '--json')
  expect(JSON.parse(dry.stdout)).toMatchObject({ routes: { length: 6 }, unwritten: [], removed: { length: 5 }, ended: [] })
  expect([readdirSync(proxy), readdirSync(at.proxy).length]).toEqual([before, 6])

  const done = await gateway(at.root, 'rollback', ...flags)
  expect([done.code, done.stderr]).toEqual([0, ''])
  expect(done.stdout).toContain(`6 left in ${proxy}, 0 not`)
  expect(readdirSync(proxy).sort()).toEqual(
    Object.values(hosts)
      .map((id) => `${id}.yaml`)
      .sort(),
  )
  expect(readdirSync(at.proxy)).toEqual(['odd.yaml'])
  expect(readdirSync(`${proxy}-aside`)).toEqual([expect.stringMatching(/-notes\.txt$/)])
  expect(parse(readFileSync(join(proxy, '50-1-two.yaml'), 'utf8'))).toEqual({
    http: {
      routers: {
        '50-1-two-route': {
          rule: 'Host(`two.gent01.grid.tf`)',
          service: '50-1-two',
          tls: { certResolver: 'dnsresolver', domains: [{ sans: ['*.gent01.grid.tf'] }] },
        },
      },
      services: {
        '50-1-two': { loadbalancer: { servers: [{ url: 'http://10.20.2.5:9000' }, { url: 'http://10.20.2.6:9000' }] } },
      },
    },
  })
  expect(readFileSync(join(proxy, '50-2-tls.yaml'), 'utf8')).toContain('address: 10.20.2.7:443')

  // Twice is once: by then they are the Go module's.
  const again = await gateway(at.root, 'rollback', ...flags)
  expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('there is nothing to leave')])

  // Read with the module's own structs, strictly: not one key more.
  expect(await loadedByModule(reference, at)).toEqual({ domains: hosts, refused: [expect.stringContaining('odd.yaml: ')] })
  expect(existsSync(join(proxy, '50-1-two.yaml'))).toBe(false)

  // Back again: what the Go module has by then is taken over, as at the first start.
  expect(
    (await gateway(at.root, 'import', '--config', at.config, '--root', at.root, '--from', at.volatile, '--json')).stdout,
  ).toContain('"50-1-two"')
})

test('rollback refuses beside a gateway that runs, and does nothing', async () => {
  const at = moduleFolders()
  cpSync(fixture('proxy'), at.proxy, { recursive: true })
  const [http, https, api] = [await freePort(), await freePort(), await freePort()]
  const ports = ['--http', `${http}`, '--https', `${https}`, '--api', `${api}`]
  await using running = gatewayProcess(['--root', at.root, ...ports, '--broker', `unix://${at.root}/no-redis.sock`], {
    cwd: at.root,
  })
  await running.until('is up')
  const refused = await gateway(at.root, 'rollback', '--root', at.root, '--volatile', at.volatile)
  expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining(`${running.pid}`)])
  expect(readdirSync(at.proxy)).toHaveLength(5)
})

test('rollback says what a supervisor that its config does not have left running, and ends it with the one that has it', async () => {
  const at = moduleFolders()
  onTestFinished(() => endKept(at.root))
  const configOf = (name: string, plugins: string) => {
    const file = join(at.root, name)
    writeFileSync(
      file,
      `import { definePlugin, Supervisor } from 'zos-gateway'
import { level, processes } from 'zos-gateway/plugins'
const kept = () => definePlugin({
  name: 'service/kept',
  kind: 'service',
  needs: { supervisor: Supervisor },
  setup: async ({ supervisor }) => {
    const one = await supervisor.run({ name: 'kept', command: 'sleep', args: ['1000'], keep: true })
    return { close: () => one.release() }
  },
})
export default { plugins: [${plugins}] }
`,
    )
    return ['--config', file, '--root', at.root]
  }
  const ran = configOf('gateway.config.mjs', 'level(), processes(), kept()')
  await using running = gatewayProcess(ran, { cwd: at.root })
  await running.until('is up')
  running.signal('SIGTERM')
  expect(await running.ended).toBe(0)
  const pid = keptChildren(at.root).get('kept')

  const other = await gateway(at.root, 'rollback', ...configOf('other.config.mjs', 'level()'), '--volatile', at.volatile)
  expect([other.code, other.stderr]).toEqual([2, expect.stringContaining(`still runs: kept (pid ${pid})`)])
  const same = await gateway(at.root, 'rollback', ...ran, '--volatile', at.volatile)
  expect([same.code, same.stderr, same.stdout]).toEqual([0, '', expect.stringContaining(`ended kept (pid ${pid})`)])
  expect(isRunning(pid ?? 0)).toBe(false)
})
