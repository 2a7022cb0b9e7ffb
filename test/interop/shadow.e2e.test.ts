import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { type GatewayProcess, gatewayProcess } from '../cli/gateway-process.ts'
import { startDns, startRedis, tempRoot } from '../kit/index.ts'
import { loopbackConfig, otherModules } from '../plugins/neighbours.ts'
import { buildGo, jsonOf } from './go.ts'
import { moduleFolders, startModule } from './reference.ts'

const domain = 'gent01.grid.tf'
const publicConfig = 'network@0.0.1 GetPublicConfig'
const registration = 'api-gateway@0.0.1 GetContractIDByNameRegistration'
const contract = 'api-gateway@0.0.1 GetContract'

let caller: string
let reference: string
beforeAll(async () => {
  const here = new URL('.', import.meta.url)
  caller = await buildGo(here, 'caller')
  reference = await buildGo(here, 'reference')
})

/** The preset of a node, but for the resolver that domains are asked of. */
const configOf = (resolver: string) => `
import { defineGateway } from 'zos-gateway'
import { pointsHere } from 'zos-gateway/plugins'
import { zos } from 'zos-gateway/presets'
export default defineGateway((flags) => ({
  plugins: zos(flags).map((plugin) => (plugin.name === 'policy/points-here' ? pointsHere({ resolvers: ['${resolver}'] }) : plugin)),
}))
`

/** A node whose gateway is the Go module, with its neighbours. */
const node = async () => {
  const others = await otherModules({
    [publicConfig]: loopbackConfig(domain),
    [registration]: '4711',
    [contract]: '4711 created, twin 26',
  })
  const [dns, folders, home] = [await startDns(), moduleFolders(), tempRoot('shadow')]
  dns.set('own.example.net', { A: ['127.0.0.1'] })
  dns.set(`evil${domain}`, { A: ['127.0.0.1'] })
  const module = await startModule(reference, { broker: others.broker, resolver: dns.address, ...folders })
  const config = join(home.path, 'gateway.config.mts')
  writeFileSync(config, configOf(dns.address))
  const started: GatewayProcess[] = [module]
  onTestFinished(async () => {
    for (const one of started) await one[Symbol.asyncDispose]()
    await dns.close()
    await home.remove()
  })
  const shadow = async (...more: string[]) => {
    const flags = ['--shadow', '--config', config, '--root', folders.root, '--from', folders.volatile, '--broker', others.broker]
    const running = gatewayProcess([...flags, ...more], { cwd: home.path })
    started.push(running)
    await running.until('it listens to gateway')
    return running
  }
  const ask = async (...calls: readonly object[]) =>
    (await jsonOf(caller, ['-broker', others.broker, 'deployed', JSON.stringify(calls)])) as { fqdn?: string; error: string }[]
  return { ...folders, others, shadow, ask }
}
interface Line {
  readonly about: string
  readonly id: string
  readonly verdict: string
  readonly ours: string
}
const end = async (shadow: GatewayProcess) => {
  shadow.signal('SIGTERM')
  const code = await shadow.ended
  const lines = shadow.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line & { summary?: Record<string, number> })
  const { summary } = lines.pop() ?? {}
  return { code, summary, lines: lines.map(({ about, id, verdict }) => `${about} ${id} ${verdict}`), told: lines }
}
const backends = ['http://10.20.2.5:9000']
const shop = { do: 'set-name', id: '26-4711-shop', host: 'shop', backends }
const own = { do: 'set-fqdn', id: '26-1-own', host: 'own.example.net', backends }
const vault = { do: 'set-name', id: '26-4712-vault', host: 'vault', backends: ['10.20.2.7:443'], passthrough: true }

test('beside a Go module that does the same it reports no difference, and ends with 0', async () => {
  const at = await node()
  expect((await at.ask(own)).map(({ error }) => error)).toEqual([''])
  const shadow = await at.shadow('--json')
  const answers = await at.ask(
    shop,
    vault,
    { ...shop, id: '27-1-other', host: 'other' },
    { ...shop, id: '26-4714-taken', host: 'shop' },
    { ...own, id: '26-2-nowhere', host: 'nowhere.example.net' },
    { ...own, id: '26-3-under', host: `under.${domain}` },
    { ...own, id: '26-4-loop', host: 'own.example.net', backends: ['http://127.0.0.1'] },
    { ...own, id: '26-5-none', backends: [] },
    { do: 'metrics' },
    { do: 'delete', id: '26-4711-shop' },
    { do: 'delete', id: 'never-set' },
  )
  expect(answers.filter(({ error }) => error === '').length).toBe(5)
  const { code, summary, lines, told } = await end(shadow)
  expect(told.filter(({ verdict }) => verdict !== 'same')).toEqual([])
  expect(lines).toEqual([
    'set-name 26-4711-shop same',
    'set-name 26-4712-vault same',
    'set-name 27-1-other same',
    'set-name 26-4714-taken same',
    'set-fqdn 26-2-nowhere same',
    'set-fqdn 26-3-under same',
    'set-fqdn 26-4-loop same',
    'set-fqdn 26-5-none same',
    'delete 26-4711-shop same',
    'delete never-set same',
  ])
  expect(summary).toMatchObject({ same: 10, different: 0, unknown: 0, requests: 11, metrics: 1, unanswered: 0, workloads: 2 })
  expect(code).toBe(0)
})

test('what it would do otherwise is told as better, or as different, and ends with 2', async () => {
  const at = await node()
  const shadow = await at.shadow('--json')
  await at.ask(
    shop,
    // Set again: the Go module knows the domain already.
    shop,
    { ...own, id: '26-2-evil', host: `evil${domain}` },
    { ...own, backends: ['https://10.20.2.5'] },
    // Taken by the Go module, and refused here.
    { ...vault, id: '26-3-loop', host: 'loop', backends: ['127.0.0.1:443'] },
    { do: 'delete', id: '26-3-loop' },
  )
  // Somebody else writes into the folder, when all of that is compared.
  await shadow.until('"about":"delete"')
  writeFileSync(
    join(at.proxy, '9-9-odd.yaml'),
    readFileSync(join(at.proxy, '26-4711-shop.yaml'), 'utf8').replaceAll('26-4711-shop', '9-9-odd').replaceAll('shop.', 'odd.'),
  )
  rmSync(join(at.proxy, '26-4711-shop.yaml'))
  const { code, lines, summary, told } = await end(shadow)
  expect(lines).toEqual([
    'set-name 26-4711-shop same',
    'set-name 26-4711-shop better',
    'set-fqdn 26-2-evil better',
    'set-fqdn 26-1-own better',
    'set-name 26-3-loop different',
    'delete 26-3-loop same',
    'file 9-9-odd different',
    'file 26-4711-shop different',
  ])
  expect(told[4]?.ours).toContain('BACKEND_FORBIDDEN')
  expect(summary).toMatchObject({ same: 2, better: 3, different: 3 })
  expect(code).toBe(2)
})

test('workloads in private networks are judged by what networkd told the Go module, and their files by all but the bridge', async () => {
  const at = await node()
  at.others.say('network@0.0.1 GetNet', '10.20.2.0/24')
  at.others.say('network@0.0.1 Namespace', 'n-2MMEUgPZGLTnb')
  const secret = { ...shop, id: '26-4711-secret', host: 'secret', network: 'net' }
  // It was set before anybody listened.
  expect((await at.ask({ ...secret, id: '26-1-early', host: 'early' }))[0]?.error).toBe('')
  const shadow = await at.shadow('--json')
  await at.ask(
    secret,
    { ...own, network: 'net', backends: ['http://10.20.2.5:9000', 'http://10.20.2.6:9000'] },
    { ...vault, network: 'net' },
    // Set again, which the Go module refuses.
    secret,
    // Its domain is another's.
    { ...own, id: '26-2-taken', network: 'net' },
    { do: 'delete', id: '26-1-early' },
  )
  at.others.say('network@0.0.1 GetNet', 'error, no such network')
  const [refused] = await at.ask({ ...secret, id: '26-4713-none', host: 'none', network: 'none' })
  expect(refused?.error).toContain('failed to get user network')
  await at.ask({ do: 'delete', id: '26-4711-secret' })
  const { code, lines, told } = await end(shadow)
  expect(told.filter(({ verdict }) => verdict === 'different')).toEqual([])
  expect(lines).toEqual([
    'set-name 26-4711-secret same',
    'set-fqdn 26-1-own same',
    'set-name 26-4712-vault same',
    'set-name 26-4711-secret better',
    'set-fqdn 26-2-taken same',
    'delete 26-1-early same',
    'set-name 26-4713-none same',
    'delete 26-4711-secret same',
  ])
  expect(code).toBe(0)
})

test('it asks nobody, answers nobody and writes only its own folder, where everything is reported', async () => {
  const redis = await startRedis()
  const [folders, home] = [moduleFolders(), tempRoot('shadow')]
  const client = new Redis({ path: redis.path, protocol: 2 })
  onTestFinished(async () => {
    client.disconnect()
    await redis.close()
    await home.remove()
  })
  // A plugin of the operator's, judging and no friend of the rules: it would write where the Go module reads.
  const config = join(home.path, 'gateway.config.mjs')
  writeFileSync(
    config,
    `import { writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { definePlugin } from 'zos-gateway'
import { zos } from 'zos-gateway/presets'
const attempt = (what, work) => { try { work(); console.log(what, 'done') } catch (error) { console.log(what, error.code) } }
const bold = definePlugin({ name: 'policy/bold', kind: 'policy', setup: () => {
  attempt('write', () => writeFileSync(${JSON.stringify(join(folders.proxy, '1-1-bold.yaml'))}, ''))
  attempt('start', () => { const { error } = spawnSync('true'); if (error) throw error })
  return { check: () => [] }
} })
export default { plugins: [...zos({}), bold] }
`,
  )
  const flags = [
    '--shadow',
    '--config',
    config,
    '--root',
    folders.root,
    '--from',
    folders.volatile,
    '--broker',
    redis.broker.unix,
  ]
  await using shadow = gatewayProcess(flags, { cwd: home.path })
  await shadow.until('it listens to gateway')
  expect(shadow.stdout).toContain('write ERR_ACCESS_DENIED\nstart ERR_ACCESS_DENIED\n')
  const before = readdirSync(folders.root)
  // What nobody answers stays where it is.
  await client.rpush('gateway.manager@0.0.1', 'a request')
  await client.rpush('gateway.gateway@0.0.1', 'a request')
  shadow.signal('SIGTERM')
  expect(await shadow.ended).toBe(0)
  expect(await client.keys('*')).toHaveLength(2)
  const calls = (await client.info('commandstats')).matchAll(/cmdstat_([a-z|]+):calls=(\d+)/g)
  const others = new Set(Array.from(calls, ([, name]) => name))
  for (const own of ['rpush', 'keys', 'info']) others.delete(own)
  // What the clients of this test send when they connect.
  for (const greeting of ['ping', 'hello', 'client|setinfo', 'client|setname', 'select', 'command', 'config|get'])
    others.delete(greeting)
  expect([...others]).toEqual(['monitor'])
  expect(before).toEqual(readdirSync(folders.root))
  expect(readdirSync(folders.proxy)).toEqual([])
  expect(statSync(join(folders.root, 'shadow')).mode & 0o777).toBe(0o700)
  const [last] = readFileSync(join(folders.root, 'shadow/report.jsonl'), 'utf8').trim().split('\n').slice(-1)
  expect(JSON.parse(last ?? '')).toMatchObject({ summary: { different: 0 } })
})

test('it says where what is named has no routes, and ends', async () => {
  const { root } = moduleFolders()
  await using shadow = gatewayProcess(['--shadow', '--root', root, '--from', join(root, 'nothing')], { cwd: root })
  expect(await shadow.ended).toBe(4)
  expect(shadow.stderr).toContain('has no folder proxy')
})

test('a Redis that went away is told, and what happened meanwhile is no difference', async () => {
  const at = await node()
  expect((await at.ask(shop))[0]?.error).toBe('')
  const shadow = await at.shadow('--json')
  await at.others.stopRedis()
  rmSync(join(at.proxy, '26-4711-shop.yaml'))
  await at.others.startRedis()
  await shadow.until('listens again')
  const { code, lines } = await end(shadow)
  expect(lines).toEqual(['hearing  unknown'])
  expect(code).toBe(0)
})
