import { X509Certificate } from 'node:crypto'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { createGateway } from '../../core/index.ts'
import { dnsResolver, fqdnProxy, httpResolver, importRoutes, level, processes, traefik } from '../../plugins/index.ts'
import { gatewayProcess } from '../cli/gateway-process.ts'
import { buildGo } from '../interop/go.ts'
import { loadedByModule, moduleFolders } from '../interop/reference.ts'
import { type FakeDns, freePort, http1, httpBackend, openTls, startDns, startPebble } from '../kit/index.ts'
import { endKept } from '../kit/kept.ts'
import { traefik2Path, traefikPath } from '../kit/programs.ts'
import { startGoTraefik } from './go-traefik.ts'
import { writeRoute } from './routes.ts'

const domain = 'gent01.grid.tf'
const newOrder = 'order-plz'
/** The Traefik of nodes. */
const old = traefik2Path()

let reference: string
beforeAll(async () => {
  reference = await buildGo(new URL('../interop/', import.meta.url), 'reference')
})

/** Puts what lego's exec provider presents where the CA's resolver answers it. */
const startHook = async (folder: string, dns: FakeDns) => {
  const server = createServer((request, answer) => {
    const [, what, name = '', value = ''] = (request.url ?? '').split('/').map(decodeURIComponent)
    if (what === 'present') dns.addTxt(name.replace(/\.$/, ''), value)
    else dns.removeTxt(name.replace(/\.$/, ''), value)
    answer.end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const hook = join(folder, 'hook.sh')
  writeFileSync(hook, `#!/bin/sh\nexec curl -sf "http://127.0.0.1:${port}/$1/$2/$3"\n`)
  chmodSync(hook, 0o755)
  onTestFinished(() => new Promise<void>((done) => void server.close(() => done()).closeAllConnections()))
  return hook
}

/** What a client is shown for a host: the answer, and the certificate. */
const look = async (port: number, host: string) => {
  const socket = await openTls({ port }, { name: host })
  try {
    const { text } = await http1(socket).request('GET /', { Host: host })
    return {
      text,
      serial: new X509Certificate(socket.getPeerCertificate().raw).serialNumber,
      issuer: String(socket.getPeerCertificate().issuer.CN),
    }
  } finally {
    socket.destroy()
  }
}

test('from Traefik 2.9.9 to this gateway and back: the same certificates throughout, none ordered twice', async () => {
  const at = moduleFolders()
  const [http, https, metrics, api, routes, relay] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const dns = await startDns()
  const ca = await startPebble({ dns: dns.address, http })
  const backend = await httpBackend('served')
  for (const name of ['own.example.net', `shop.${domain}`, domain]) dns.set(name, { A: ['127.0.0.1'] })
  const hook = await startHook(at.root, dns)
  onTestFinished(async () => {
    await endKept(at.root)
    await Promise.all([ca.close(), dns.close(), backend.close()])
  })
  const url = `http://127.0.0.1:${backend.port}`
  writeRoute(at.proxy, { id: '37-1-own', host: 'own.example.net', backend: url })
  writeRoute(at.proxy, { id: '26-4711-shop', host: `shop.${domain}`, backend: url, zone: domain })
  const acme = { caServer: ca.directory, trustFile: ca.trustFile, hook }

  // The node as it is today.
  await using before = startGoTraefik(old, { ...at, http, https, metrics, acme })
  const issued = async (host: string) => {
    const seen = await look(https, host).catch(() => undefined)
    return seen?.issuer.startsWith('Pebble') ? seen : undefined
  }
  await expect.poll(() => issued('own.example.net'), { timeout: 120_000, interval: 200 }).toBeDefined()
  await expect.poll(() => issued(`shop.${domain}`), { timeout: 120_000, interval: 200 }).toBeDefined()
  const [own, shop] = [await issued('own.example.net'), await issued(`shop.${domain}`)]
  const orders = () => ca.said().split(newOrder).length
  const ordered = orders()
  const accounts = ['acme.json', 'acme2.json'].map((name) => JSON.parse(readFileSync(join(at.root, 'traefik', name), 'utf8')))
  expect(accounts.map((state) => Object.keys(state))).toEqual([['resolver'], ['dnsresolver']])

  // Over.
  const plugins = [
    fqdnProxy(),
    dnsResolver(),
    httpResolver(),
    importRoutes({ from: [at.proxy] }),
    level(),
    processes(),
    traefik({
      command: traefikPath(),
      http: { host: '127.0.0.1', port: http },
      https: { host: '127.0.0.1', port: https },
      api: { port: api },
      overHttp: { port: routes },
      relay: { port: relay },
      keepServing: true,
      env: { LEGO_CA_CERTIFICATES: ca.trustFile },
      acme: { email: 'letsencrypt@threefold.tech', caServer: ca.directory, dns: { provider: 'exec', env: { EXEC_PATH: hook } } },
    }),
  ]
  const gateway = await createGateway({ plugins }, { root: at.root })
  const engine = gateway.status().plugins.find(({ name }) => name === 'engine/traefik')
  expect(engine?.facts).toMatchObject({ 'in the place of': `Traefik 2.9.9 (pid ${before.pid})` })
  await expect.poll(() => look(https, 'own.example.net').catch(String), { timeout: 60_000 }).toEqual(own)
  expect(await look(https, `shop.${domain}`)).toEqual(shop)
  expect(await before.ended).toBe(0)
  await gateway.close()

  // And back.
  const config = join(at.root, 'gateway.config.mjs')
  writeFileSync(
    config,
    `import { level, processes } from 'zos-gateway/plugins'\nexport default { plugins: [level(), processes()] }\n`,
  )
  await using rollback = gatewayProcess(['rollback', '--config', config, '--root', at.root, '--volatile', at.volatile], {
    cwd: at.root,
  })
  expect([await rollback.ended, rollback.stderr]).toEqual([0, ''])
  expect(rollback.stdout).toMatch(/ended traefik \(pid \d+\)/)
  expect(await loadedByModule(reference, at)).toEqual({
    domains: { 'own.example.net': '37-1-own', [`shop.${domain}`]: '26-4711-shop' },
    refused: [],
  })
  await using after = startGoTraefik(old, { ...at, http, https, metrics, acme })
  await expect.poll(() => look(https, 'own.example.net').catch(String), { timeout: 60_000 }).toEqual(own)
  expect(await look(https, `shop.${domain}`)).toEqual(shop)
  expect(orders()).toBe(ordered)
  expect(after.stderr + after.stdout).not.toMatch(/level=error/)
})
