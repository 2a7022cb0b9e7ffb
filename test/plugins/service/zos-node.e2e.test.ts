import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Neighbours, NodeFacts } from '../../../core/index.ts'
import { encodeResponse } from '../../../lib/zbus/index.ts'
import { zosNode } from '../../../plugins/index.ts'
import { setUpAlone } from '../../kit/index.ts'
import { otherModules, type Say } from '../neighbours.ts'

const question = 'network@0.0.1 GetPublicConfig'
const whole = '185.206.122.33/24, 2a10:b600:1::1/64, domain gent01.grid.tf'
const asConfig = { ipv4: '185.206.122.33', ipv6: '2a10:b600:1::1', domain: 'gent01.grid.tf' }

/** An error of the method. */
const refusing = (failed: string): Buffer => encodeResponse({ id: 'reply-id', data: null, failed })
/** As of a namespace whose interface is being made. */
const failing = refusing('failed to get public interface: Link not found')

const node = async (say: Say, options: { timeout?: number; refresh?: number } = {}) => {
  const others = await otherModules({ [question]: say })
  const plugin = await setUpAlone(zosNode({ broker: others.broker, timeout: 2, ...options }), '/nowhere')
  onTestFinished(() => plugin.close())
  const facts = plugin.api.node as NodeFacts
  const ask = () => facts.publicConfig(AbortSignal.timeout(20_000))
  return { others, plugin, facts, ask, neighbours: plugin.api.neighbours as Neighbours }
}

describe('service/zos-node', () => {
  it('reads the public config that networkd answers, 4-in-6 addresses and masks included', async () => {
    const { ask, plugin } = await node(whole)
    expect(await ask()).toEqual(asConfig)
    expect(plugin.health().state).toBe('ok')
  })

  it('leaves out what is nil', async () => {
    const { ask } = await node('ipv4 only, no domain')
    expect(await ask()).toEqual({ ipv4: '185.206.122.33' })
  })

  it.each<[string, Say]>([
    ['as recorded', 'error, no public config'],
    ['as it says today', refusing('no public configuration')],
    ['behind what it did', refusing('failed to load configuration: no public configuration')],
  ])('has no public config where networkd says so, and that is no fault: %s', async (_, say) => {
    const { ask, plugin } = await node(say)
    expect(await ask()).toBeUndefined()
    expect(plugin.health().state).toBe('ok')
  })

  it('follows a public config that appears, at the next question', async () => {
    const { ask, others } = await node('error, no public config')
    expect(await ask()).toBeUndefined()
    others.say(question, whole)
    expect(await ask()).toEqual(asConfig)
  })

  it('tells those who watch of a change without being asked', async () => {
    const { ask, others, facts } = await node(whole, { refresh: 0.1 })
    expect(await ask()).toEqual(asConfig)
    const changed = new Promise((done) => facts.watch?.(done))
    others.say(question, 'error, no public config')
    expect(await changed).toBeUndefined()
  })

  it('asks once for questions that come together', async () => {
    const { ask, others } = await node(whole, { refresh: 3_600 })
    await Promise.all(Array.from({ length: 50 }, ask))
    expect(others.asked.length).toBe(1)
  })

  const useless: readonly (readonly [string, Say, string])[] = [
    ['does not answer', 'silence', 'no answer within 0.3 s'],
    ['answers garbage', Buffer.from('not msgpack'), 'no answer within 0.3 s'],
    ['answers a list', answerWith('93010203'), 'it is no public config'],
    ['answers an address of five bytes', answerWith('81a44950763481a24950c4050102030405'), 'its IPv4 address is 5 bytes'],
    ['answers a domain that is none', answerWith('82a449507634c0a6446f6d61696ea3612062'), "its domain is 'a b'"],
    ['knows no such method', protocolError('unknown method'), 'unknown method'],
    ['has trouble of its own', failing, 'failed to get public interface'],
  ]
  it.each(useless)('says so where networkd %s', async (_, say, why) => {
    const { ask, plugin } = await node(say, { timeout: 0.3 })
    await expect(ask()).rejects.toMatchObject({ code: 'NEIGHBOUR_UNAVAILABLE', message: expect.stringContaining(why) })
    expect(plugin.health()).toMatchObject({ state: 'degraded', reason: expect.stringContaining(why) })
  })

  it.each<[string, Say]>([
    ['does not answer', 'silence'],
    ['has trouble of its own', failing],
  ])('goes on with what networkd said before, and says so, while it %s', async (_, say) => {
    const { ask, others, plugin } = await node(whole, { timeout: 0.3, refresh: 0.1 })
    expect(await ask()).toEqual(asConfig)
    others.say(question, say)
    await vi.waitFor(() => expect(plugin.health().reason).toContain('what it said before holds'), 10_000)
    expect(await ask()).toEqual(asConfig)
    others.say(question, whole)
    await vi.waitFor(() => expect(plugin.health().state).toBe('ok'), 10_000)
  })

  it('comes back by itself where Redis is away at first', async () => {
    const { others, ask, plugin } = await node(whole, { timeout: 0.5, refresh: 0.1 })
    await ask()
    await others.stopRedis()
    await vi.waitFor(() => expect(plugin.health().state).toBe('degraded'), 10_000)
    await others.startRedis()
    await vi.waitFor(() => expect(plugin.health().state).toBe('ok'), 20_000)
  })

  it('hands the words of a method that refuses to whoever called it', async () => {
    const { neighbours, others } = await node(whole)
    others.say('provision@0.0.1 DecommissionCached', 'error')
    const signal = AbortSignal.timeout(10_000)
    const call = () => neighbours.call('provision', 'provision@0.0.1', 'DecommissionCached', ['1-2-a', 'why'], { signal })
    expect(await call()).toEqual({ refused: 'workload does not exist' })
    others.say('provision@0.0.1 DecommissionCached', 'ok')
    expect(await call()).toEqual({ value: null })
  })

  it.each([{ broker: 'redis.sock' }, { timeout: 0 }, { timeout: 41 }, { refresh: 0 }])(
    'refuses %j where it is written',
    (options) => expect(() => zosNode(options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' })),
  )
})

/** An answer with this result, hex of MessagePack. */
function answerWith(hex: string): Buffer {
  const data = Buffer.from(hex, 'hex')
  const head = Buffer.from('\x83\xa2ID\xa8reply-id\xa6Output\x82\xa4Data\xc4', 'latin1')
  return Buffer.concat([head, Buffer.from([data.length]), data, Buffer.from('\xa5Error\xc0\xa5Error\xc0', 'latin1')])
}
function protocolError(text: string): Buffer {
  const head = '\x83\xa2ID\xa8reply-id\xa6Output\x82\xa4Data\xc0\xa5Error\xc0\xa5Error'
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from([0xa0 | text.length]), Buffer.from(text)])
}
