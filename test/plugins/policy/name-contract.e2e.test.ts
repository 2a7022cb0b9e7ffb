import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createGateway, type Logged, parseOperation } from '../../../core/index.ts'
import { decode, type Request } from '../../../lib/zbus/index.ts'
import { memory, type NameContractOptions, nameContract, nameProxy, tlsPassthrough, zosNode } from '../../../plugins/index.ts'
import { tableEngine } from '../../core/parts.ts'
import { tempRoot } from '../../kit/index.ts'
import { otherModules, type Say } from '../neighbours.ts'

const registration = 'api-gateway@0.0.1 GetContractIDByNameRegistration'
const contract = 'api-gateway@0.0.1 GetContract'
const decommission = 'provision@0.0.1 DecommissionCached'
const domain = '185.206.122.33/24, 2a10:b600:1::1/64, domain gent01.grid.tf'
const mine = { [registration]: '4711', [contract]: '4711 created, twin 26' }

/** A gateway of name workloads on a node whose chain says this. */
const gateway = async (says: Readonly<Record<string, Say>>, options: NameContractOptions = { recheck: false }) => {
  const others = await otherModules({ 'network@0.0.1 GetPublicConfig': domain, ...says })
  const root = tempRoot()
  const engine = tableEngine()
  const running = await createGateway(
    {
      plugins: [
        zosNode({ broker: others.broker }),
        nameProxy(),
        tlsPassthrough(),
        nameContract({ timeout: 0.5, ...options }),
        memory(),
        engine.plugin,
      ],
    },
    { root: root.path },
  )
  onTestFinished(async () => {
    await running.close()
    await root.remove()
  })
  const set = (id = '26-4711-shop', name = 'shop') =>
    running.dispatch(parseOperation({ do: 'set-name', id, name, backends: ['192.0.2.7:443'], passthrough: true }) as never)
  return { running, others, set }
}
const args = (request: Request) => request.inputs.map(decode)
const alarms = (running: Awaited<ReturnType<typeof gateway>>['running']) => {
  const seen: Logged[] = []
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const read = async () => {
    for await (const event of running.events(0, stop.signal)) if (event.type === 'alarm') seen.push(event)
  }
  read().catch(() => undefined)
  return seen
}

describe('policy/name-contract', () => {
  it('takes a name whose contract is created and held by the twin of the workload id', async () => {
    const { set, others } = await gateway(mine)
    const asked: unknown[] = []
    others.say(registration, (request) => {
      asked.push(...args(request))
      return '4711'
    })
    others.say(contract, (request) => {
      asked.push(...args(request).map(Number))
      return '4711 created, twin 26'
    })
    expect(await set()).toMatchObject({ host: 'shop.gent01.grid.tf', zone: 'gent01.grid.tf' })
    expect(asked).toEqual(['shop', 4711])
  })

  it('takes one in its grace period', async () => {
    const { set } = await gateway({ ...mine, [contract]: '4711 grace period, twin 26' })
    expect(await set()).toMatchObject({ host: 'shop.gent01.grid.tf' })
  })

  const lost = 'failed to verify name contract: '
  it.each([
    ['not registered', { [registration]: 'not found' }, `${lost}a name contract with the given name must be reserved first`],
    ['not registered, told with text', { [registration]: 'not found, with text' }, `${lost}a name contract with the given name`],
    ['deleted', { [contract]: '4711 deleted, twin 26' }, `${lost}the name contract must be in Created or GracePeriod state`],
  ])('refuses a name whose contract is %s', async (_, says, message) => {
    const { set } = await gateway({ ...mine, ...says })
    await expect(set()).rejects.toMatchObject({ code: 'NAME_NOT_RESERVED', message: expect.stringContaining(message) })
  })

  it('refuses the name of another twin, and an id that names none', async () => {
    const { set } = await gateway(mine)
    await expect(set('27-4711-shop')).rejects.toMatchObject({ code: 'NAME_NOT_RESERVED', message: `${lost}twin id mismatch` })
    await expect(set('shop')).rejects.toMatchObject({ code: 'INVALID_ID' })
  })

  it.each([
    ['is down at the first question', { [registration]: 'chain down' }, 'ws: connection refused'],
    ['is down at the second', { [contract]: 'chain down' }, 'ws: connection refused'],
    [
      'knows the name and not its contract',
      { [contract]: 'not found, with text' },
      "contract by name returned 4711, but retrieving it results in 'not found' error",
    ],
    ['does not answer', { [registration]: 'silence' as const }, 'no answer within 0.5 s'],
    ['answers for another question', { [registration]: Buffer.from('c0', 'hex') }, 'no answer within 0.5 s'],
  ])('says that it cannot check where the chain %s', async (_, says, why) => {
    const { set } = await gateway({ ...mine, ...says })
    await expect(set()).rejects.toMatchObject({ code: 'NEIGHBOUR_UNAVAILABLE', message: expect.stringContaining(why) })
  })

  it('hands a name that was lost to provisiond, with the reason, in no turn: its Delete is served meanwhile', async () => {
    const { set, others, running } = await gateway(mine, { recheck: 0.2 })
    await set()
    const told = new Promise<readonly unknown[]>((done) =>
      others.say(decommission, async (request) => {
        const [id, why] = args(request)
        await running.dispatch(parseOperation({ do: 'delete', id }) as never)
        done([id, why])
        return 'ok'
      }),
    )
    others.say(contract, '4711 deleted, twin 26')
    expect(await told).toEqual(['26-4711-shop', 'the name contract must be in Created or GracePeriod state'])
    expect(running.routes.size).toBe(0)
  })

  it('takes nothing away while the chain cannot say, and shows that', async () => {
    const { set, others, running } = await gateway(mine, { recheck: 0.2 })
    await set()
    others.say(registration, 'chain down')
    const health = () => running.status().plugins.find(({ name }) => name === 'policy/name-contract')
    await vi.waitFor(() => expect(health()).toMatchObject({ state: 'degraded' }), 10_000)
    others.say(registration, '4711')
    await vi.waitFor(() => expect(health()).toMatchObject({ state: 'ok' }), 10_000)
    expect(running.routes.size).toBe(1)
    expect(others.asked).not.toContain(decommission)
  })

  it('keeps serving, and alarms, where provisiond does not take the workload away', async () => {
    const { set, others, running } = await gateway(mine, { recheck: 0.2 })
    const seen = alarms(running)
    await set()
    others.say(registration, 'not found')
    others.say(decommission, 'error')
    await vi.waitFor(() => expect(seen[0]).toMatchObject({ code: 'NAME_NOT_RESERVED' }), 10_000)
    expect(seen[0]).toMatchObject({ message: expect.stringContaining('workload does not exist') })
    expect(running.routes.size).toBe(1)
  })

  it.each([{ timeout: 0 }, { timeout: 21 }, { recheck: 0 }])('refuses %j where it is written', (options) =>
    expect(() => nameContract(options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' })),
  )
})
