import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { parse } from 'yaml'
import { createGateway, definePlugin, type Route, type Tls, type WorkloadId } from '../../../../core/index.ts'
import { traefik } from '../../../../plugins/engine/traefik/index.ts'
import { apiPasswordOf, apiUser, relayTokenOf } from '../../../../plugins/engine/traefik/token.ts'
import { processes } from '../../../../plugins/service/processes/index.ts'
import { anyHost, emptyMemory, memory, passthrough } from '../../../kit/engine/plugins.ts'
import { freePort, tempRoot } from '../../../kit/index.ts'
import { endKept } from '../../../kit/kept.ts'
import { traefikPath } from '../../../kit/programs.ts'
import { patience } from './stand.ts'

const route = (id: string, host: string, backend: string, tls: Tls): Route => ({
  id: id as WorkloadId,
  host,
  backends: [backend],
  passthrough: tls.mode === 'passthrough',
  tenant: id,
  tls,
})
const terminate = (resolver: string, name: string): Tls => ({ mode: 'terminate', resolver, names: [name] })
const through: Tls = { mode: 'passthrough' }
const routes = [
  route('40-1976-shop', 'shop.gent01.grid.tf', 'http://10.20.2.5:9000', terminate('dnsresolver', '*.gent01.grid.tf')),
  route('37-2039-own', 'own.example.org', 'http://10.20.2.7', terminate('resolver', 'own.example.org')),
  route('40-1977-vault', 'vault.gent01.grid.tf', '10.20.2.8:443', through),
  route('37-2040-tls', 'tls.example.org', '10.20.2.9:443', through),
]

/** Says of the stored routes again what is stored. */
const resolver = (label: string) =>
  definePlugin({
    name: `resolver/${label}`,
    kind: 'resolver',
    setup: () => ({
      plan: ({ host }) =>
        routes
          .map(({ host: of, tls }) => (of === host ? tls : through))
          .find((tls) => tls.mode === 'terminate' && tls.resolver === label),
    }),
  })

it('has Traefik read of the file of each kind what stands in it: names and domains, ended here and passed through', async () => {
  const root = tempRoot('read-back')
  onTestFinished(async () => {
    await endKept(root.path)
    await root.remove()
  })
  const held = emptyMemory()
  for (const one of routes) held.routes.set(one.id, one)
  const api = await freePort()
  const engine = traefik({
    command: traefikPath(),
    http: { host: '127.0.0.1', port: await freePort() },
    https: { host: '127.0.0.1', port: await freePort() },
    api: { port: api },
    routes: 'files',
    relay: false,
    acme: { caServer: `https://127.0.0.1:${await freePort()}/dir`, email: 'a@example.org' },
  })
  const plugins = [anyHost(), passthrough(), resolver('dnsresolver'), resolver('resolver'), memory(held), processes(), engine]
  const gateway = await createGateway({ plugins }, { root: root.path })
  onTestFinished(gateway.close)

  const token = (await readFile(join(root.path, 'traefik', 'token'), 'utf8')).trim()
  const authorization = `Basic ${Buffer.from(`${apiUser}:${apiPasswordOf(token)}`).toString('base64')}`
  // Nobody else on the machine reads what the API shows, such as the relay's token.
  for (const headers of [{}, { authorization: `Basic ${Buffer.from('gateway:guess').toString('base64')}` }])
    expect((await fetch(`http://127.0.0.1:${api}/api/http/middlewares`, { headers })).status).toBe(401)
  const metrics = await (await fetch(`http://127.0.0.1:${api}/metrics`)).text()
  for (const secret of [token, apiPasswordOf(token), relayTokenOf(token)]) expect(metrics).not.toContain(secret)

  for (const { id, passthrough: isThrough } of routes) {
    const written = parse(await readFile(join(root.path, 'proxy', `${id}.yaml`), 'utf8'))[isThrough ? 'tcp' : 'http']
    const asked = async (what: string): Promise<Record<string, unknown>> => {
      const answer = await fetch(`http://127.0.0.1:${api}/api/${isThrough ? 'tcp' : 'http'}/${what}@file`, {
        headers: { authorization },
      })
      return (await answer.json()) as Record<string, unknown>
    }
    const { rule, service, tls } = written.routers[`${id}-route`]
    // The manual's own spelling of it is text.
    await expect
      .poll(() => asked(`routers/${id}-route`), patience)
      .toMatchObject({ rule, service, tls: isThrough ? { passthrough: true } : tls, status: 'enabled' })
    await expect
      .poll(() => asked(`services/${service}`), patience)
      .toMatchObject({
        loadBalancer: { servers: written.services[service].loadBalancer.servers },
        status: 'enabled',
      })
  }
})
