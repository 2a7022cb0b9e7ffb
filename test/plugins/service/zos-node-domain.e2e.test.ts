import { expect, it, onTestFinished, vi } from 'vitest'
import { createGateway, type Logged, parseOperation, type SetOp } from '../../../core/index.ts'
import { fqdnProxy, memory, nameProxy, tlsPassthrough, zosNode } from '../../../plugins/index.ts'
import { tableEngine } from '../../core/parts.ts'
import { tempRoot } from '../../kit/index.ts'
import { loopbackConfig, otherModules } from '../neighbours.ts'

const question = 'network@0.0.1 GetPublicConfig'

/** A gateway on a node of this domain, which may become another one. */
const node = async (domain: string) => {
  const others = await otherModules({ [question]: loopbackConfig(domain) })
  const root = tempRoot()
  const engine = tableEngine()
  const plugins = [
    zosNode({ broker: others.broker, timeout: 2, refresh: 0.1 }),
    nameProxy(),
    fqdnProxy(),
    tlsPassthrough(),
    memory(),
    engine.plugin,
  ]
  const gateway = await createGateway({ plugins }, { root: root.path })
  const alarms: Logged[] = []
  const stop = new AbortController()
  const reading = (async () => {
    for await (const event of gateway.events(0, stop.signal)) if (event.type === 'alarm') alarms.push(event)
  })()
  onTestFinished(async () => {
    stop.abort()
    await reading
    await gateway.close()
    await root.remove()
  })
  const set = (name: string) => gateway.dispatch(parse({ do: 'set-name', id: `1-1-${name}`, name }))
  const setFqdn = (fqdn: string) => gateway.dispatch(parse({ do: 'set-fqdn', id: '1-2-own', fqdn }))
  const parse = (op: object) => parseOperation({ ...op, backends: ['192.0.2.7:443'], passthrough: true }) as SetOp
  const problems = async (fqdn: string) =>
    (await gateway.plan(parse({ do: 'set-fqdn', id: '1-2-own', fqdn }))).problems.map(({ code }) => code)
  const served = () => [...engine.state.served.values()].map(({ host }) => host).sort()
  return { others, alarms, set, setFqdn, problems, served }
}
const patience = { timeout: 20_000 }

it('serves names on under the domain of before, says so once for each change, and follows where they are set again', async () => {
  const { others, alarms, set, served } = await node('gent01.grid.tf')
  await set('shop')
  await set('blog')
  others.say(question, loopbackConfig('gent02.grid.tf'))
  await vi.waitFor(() => expect(alarms).toHaveLength(1), patience)
  expect(alarms[0]).toMatchObject({
    code: 'NO_DOMAIN',
    message: expect.stringMatching(
      /\(gent02\.grid\.tf\): 1-1-blog \(blog\.gent01\.grid\.tf\), 1-1-shop \(shop\.gent01\.grid\.tf\)|1-1-shop .*1-1-blog/,
    ),
  })
  expect(served()).toEqual(['blog.gent01.grid.tf', 'shop.gent01.grid.tf'])
  expect(await set('shop')).toMatchObject({ host: 'shop.gent02.grid.tf', zone: 'gent02.grid.tf' })
  expect(served()).toEqual(['blog.gent01.grid.tf', 'shop.gent02.grid.tf'])

  others.say(question, 'ipv4 only, no domain')
  await vi.waitFor(() => expect(alarms.at(-1)).toMatchObject({ message: expect.stringContaining('(it has none)') }), patience)
  await expect(set('late')).rejects.toMatchObject({ code: 'NO_DOMAIN' })
  expect(served()).toEqual(['blog.gent01.grid.tf', 'shop.gent02.grid.tf'])
})

it('refuses domains and names while there is no public config, serves on what it served, and takes them when it is there again', async () => {
  const { others, set, setFqdn, problems, served } = await node('gent01.grid.tf')
  await set('shop')
  others.say(question, 'error, no public config')
  await expect.poll(() => problems('own.example.net'), patience).toEqual(['NO_PUBLIC_CONFIG'])
  await expect(setFqdn('own.example.net')).rejects.toMatchObject({ code: 'NO_PUBLIC_CONFIG' })
  await expect(set('late')).rejects.toMatchObject({ code: 'NO_DOMAIN' })
  expect(served()).toEqual(['shop.gent01.grid.tf'])
  others.say(question, loopbackConfig('gent01.grid.tf'))
  await setFqdn('own.example.net')
  await set('late')
  expect(served()).toEqual(['late.gent01.grid.tf', 'own.example.net', 'shop.gent01.grid.tf'])
  await expect(setFqdn('under.gent01.grid.tf')).rejects.toMatchObject({ code: 'DOMAIN_MANAGED' })
})
