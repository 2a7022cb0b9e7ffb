import { X509Certificate } from 'node:crypto'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createGateway } from '../../../../core/index.ts'
import { dnsResolver, fqdnProxy, httpResolver, importRoutes, level, processes, traefik } from '../../../../plugins/index.ts'
import { moduleFolders } from '../../../interop/reference.ts'
import { freePort, http1, httpBackend, openTls, tempRoot } from '../../../kit/index.ts'
import { endKept } from '../../../kit/kept.ts'
import { traefikPath } from '../../../kit/programs.ts'
import { startGoTraefik } from '../../../moving/go-traefik.ts'
import { writeRoute } from '../../../moving/routes.ts'

const patient = { timeout: 120_000, interval: 100 }

/** What a real Traefik 2.9.9 wrote for these two hosts, with a Pebble as its CA; good until 2046. */
const kept = (name: string) => new URL(`../../../fixtures/traefik-2.9.9/${name}`, import.meta.url)
const serialIn = (name: string, resolver: string): string => {
  const state = JSON.parse(readFileSync(kept(name), 'utf8'))
  return new X509Certificate(Buffer.from(state[resolver].Certificates[0].certificate, 'base64')).serialNumber
}

/** A node on which the Go module's Traefik serves one workload; `program` is what it runs. */
const node = async () => {
  const at = moduleFolders()
  const [http, https, metrics, api, routes, relay] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  let release = () => {}
  const held = new Promise<void>((done) => {
    release = done
  })
  const backend = await httpBackend('served')
  let begin = () => {}
  const begun = new Promise<void>((done) => {
    begin = done
  })
  const slow = await httpBackend(async (_, response) => {
    begin()
    await held
    response.end('at last')
  })
  writeRoute(at.proxy, { id: '37-1-own', host: 'own.example.net', backend: `http://127.0.0.1:${backend.port}` })
  writeRoute(at.proxy, { id: '37-2-slow', host: 'slow.example.net', backend: `http://127.0.0.1:${slow.port}` })
  const old = startGoTraefik(traefikPath(), { ...at, http, https, metrics })
  onTestFinished(async () => {
    await old[Symbol.asyncDispose]()
    await endKept(at.root)
    await backend.close()
    await slow.close()
  })
  const get = async (host: string) => {
    const socket = await openTls({ port: https }, { name: host })
    try {
      return (await http1(socket).request('GET /', { Host: host })).text
    } finally {
      socket.destroy()
    }
  }
  /** Of the certificate that a host is shown with. */
  const serial = async (host: string) => {
    const socket = await openTls({ port: https }, { name: host })
    try {
      return new X509Certificate(socket.getPeerCertificate().raw).serialNumber
    } finally {
      socket.destroy()
    }
  }
  const plugins = (command = traefikPath()) => [
    fqdnProxy(),
    httpResolver(),
    importRoutes({ from: [at.proxy] }),
    level(),
    processes(),
    traefik({
      command,
      http: { host: '127.0.0.1', port: http },
      https: { host: '127.0.0.1', port: https },
      api: { port: api },
      overHttp: { port: routes },
      relay: { port: relay },
      acme: { email: 'letsencrypt@threefold.tech', caServer: 'https://127.0.0.1:9/directory', dns: { provider: 'manual' } },
    }),
  ]
  await expect.poll(() => get('own.example.net').catch(String), patient).toBe('served')
  return { ...at, old, get, serial, plugins, begun, release }
}

test("the Go module's Traefik is named, replaced, and finishes what it had begun", async () => {
  const at = await node()
  const open = at.get('slow.example.net')
  await at.begun
  const log = (_: string, message: string) => {
    // It listens no more, and is still there for whoever came before.
    if (/^Traefik \S+ of the Go module made room$/.test(message)) at.release()
  }
  const gateway = await createGateway({ plugins: at.plugins() }, { root: at.root, log })
  onTestFinished(() => gateway.close())
  expect(await open).toBe('at last')
  expect(await at.old.ended).toBe(0)
  await expect.poll(() => at.get('own.example.net').catch(String), patient).toBe('served')
  const facts = gateway.status().plugins.find(({ name }) => name === 'engine/traefik')?.facts
  expect(facts?.['in the place of']).toBe(`Traefik ${facts?.version} (pid ${at.old.pid})`)
})

test('one that serves another root is left alone, and so is this one where the new one cannot be', async () => {
  const at = await node()
  const other = tempRoot('other')
  onTestFinished(() => other.remove())
  await expect(createGateway({ plugins: at.plugins('/nowhere/traefik') }, { root: at.root })).rejects.toMatchObject({
    code: 'PROCESS_FAILED',
  })
  expect(await at.get('own.example.net')).toBe('served')
  copyFileSync(join(at.root, 'traefik.yaml'), join(other.path, 'traefik.yaml'))
  const gateway = await createGateway({ plugins: at.plugins() }, { root: other.path })
  onTestFinished(() => gateway.close())
  const facts = () => gateway.status().plugins.find(({ name }) => name === 'engine/traefik')?.facts
  await expect.poll(facts, patient).toBeDefined()
  expect(facts()).not.toHaveProperty('in the place of')
  expect(await at.get('own.example.net')).toBe('served')
})

test('the accounts and certificates of a Traefik 2.9.9 are used as they are', async () => {
  const at = await node()
  for (const name of ['acme.json', 'acme2.json']) copyFileSync(kept(name), join(at.root, 'traefik', name))
  writeRoute(at.proxy, { id: '26-4711-shop', host: 'shop.gent01.grid.tf', backend: 'http://127.0.0.1:9', zone: 'gent01.grid.tf' })
  const gateway = await createGateway({ plugins: [dnsResolver(), ...at.plugins()] }, { root: at.root })
  onTestFinished(() => gateway.close())
  await expect.poll(() => at.serial('own.example.net').catch(String), patient).toBe(serialIn('acme.json', 'resolver'))
  expect(await at.serial('shop.gent01.grid.tf')).toBe(serialIn('acme2.json', 'dnsresolver'))
  // Not one byte of the account and its key is another.
  const [now, then] = [join(at.root, 'traefik/acme.json'), kept('acme.json')].map((path) =>
    JSON.parse(readFileSync(path, 'utf8')),
  )
  expect(now.resolver.Account).toEqual(then.resolver.Account)
})
