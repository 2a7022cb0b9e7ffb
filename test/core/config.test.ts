import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { capability, checkConfig, definePlugin, optional, type Plugin } from '../../core/index.ts'
import { memory } from '../../plugins/store/memory/index.ts'
import { httpApi } from '../../plugins/transport/http-api/index.ts'
import { tempRoot } from '../kit/index.ts'
import { basics, start, tableEngine } from './parts.ts'

const Thing = capability<{ value: number }>('thing')
const provider = (name = 'provider') =>
  definePlugin({
    name: `service/${name}`,
    kind: 'service',
    provides: { thing: Thing },
    setup: () => ({ api: { thing: { value: 7 } } }),
  })
const service = (name: string, setup: () => object | Promise<object>, needs: Plugin['needs'] = {}) =>
  definePlugin({ name: `service/${name}`, kind: 'service', needs, setup })

describe('the config', () => {
  test.each([
    ['undefined', undefined, 'not an object'],
    ['a string', 'plugins', 'not an object'],
    ['no plugins', {}, 'plugins is missing'],
    ['a typo in a key', { plugin: [], plugins: [] }, "unknown key 'plugin'"],
    ['a factory that was not called', { plugins: [memory] }, 'plugins[0] is a function'],
    ['a promise', { plugins: [false, Promise.resolve(memory())] }, 'plugins[1] is a promise'],
    ['an object that is no plugin', { plugins: [{ name: 'x' }] }, 'plugins[0] is an object, not a plugin'],
    ['an unknown kind', { plugins: [{ name: 'toy/x', kind: 'toy', setup: () => ({}) }] }, "unknown kind 'toy'"],
    ['a name of another kind', { plugins: [{ name: 'policy/x', kind: 'service', setup: () => ({}) }] }, "is of kind 'service'"],
    ['the same plugin twice', { plugins: [provider(), provider()] }, 'twice'],
    ['two providers', { plugins: [provider('a'), provider('b')] }, "'service/a' and 'service/b' both provide 'thing'"],
    [
      'two engines',
      { plugins: [tableEngine('a').plugin, tableEngine('b').plugin] },
      "'engine/a' and 'engine/b' are both of kind 'engine'",
    ],
    ['a start timeout of nothing', { plugins: [], startTimeout: 0 }, 'startTimeout'],
  ])('with %s is refused', (_, config, sentence) => {
    expect(() => checkConfig(config)).toThrow(sentence)
    expect(() => checkConfig(config)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })

  test('a missing provider is refused by name, unless it is optional', () => {
    const needy = service('needy', () => ({}), { thing: Thing })
    expect(() => checkConfig({ plugins: [needy] })).toThrow(expect.objectContaining({ code: 'PLUGIN_MISSING' }))
    expect(() => checkConfig({ plugins: [needy] })).toThrow("'service/needy' needs 'thing'")
    expect(
      checkConfig({ plugins: [service('easy', () => ({}), { thing: optional(Thing) }), false, null, undefined] }).plugins,
    ).toHaveLength(1)
  })
})

describe('boot', () => {
  test('sets plugins up behind what they need, else in the order of the list, and closes them in reverse', async () => {
    const steps: string[] = []
    const step = (name: string, needs: Plugin['needs'] = {}) =>
      definePlugin({
        name: `service/${name}`,
        kind: 'service',
        needs,
        setup: (given: Record<string, unknown>) => {
          steps.push(given.thing ? `${name} ${JSON.stringify(given.thing)}` : name)
          return { close: () => void steps.push(`close ${name}`) }
        },
      })
    const gateway = await start([step('a', { thing: Thing }), step('b'), provider(), ...basics(tableEngine().plugin), step('c')])
    expect(steps).toEqual(['a {"value":7}', 'b', 'c'])
    await gateway.close()
    expect(steps.slice(3)).toEqual(['close c', 'close b', 'close a'])
  })

  test('closes what was started when a later plugin fails, and names the plugin', async () => {
    const closed: string[] = []
    const good = service('good', () => ({ close: () => void closed.push('good') }))
    const bad = service('bad', async () => {
      throw new Error('no luck')
    })
    await expect(start([good, bad])).rejects.toMatchObject({ code: 'PLUGIN_FAILED', message: "plugin 'service/bad': no luck" })
    expect(closed).toEqual(['good'])
  })

  test('a setup that never ends is given up at its deadline, and closed should it end later', async () => {
    const { promise, resolve } = Promise.withResolvers<object>()
    const { promise: closed, resolve: close } = Promise.withResolvers<void>()
    const slow = service('slow', () => promise)
    const { createGateway } = await import('../../core/index.ts')
    const { tempRoot } = await import('../kit/index.ts')
    await expect(createGateway({ plugins: [slow], startTimeout: 0.05 }, { root: tempRoot().path })).rejects.toThrow(
      'did not end within 0.05 s',
    )
    resolve({ close })
    await closed
  })

  test('plugins that need each other in a circle are refused', async () => {
    const Other = capability<object>('other')
    const a = definePlugin({
      name: 'service/a',
      kind: 'service',
      needs: { o: Other },
      provides: { t: Thing },
      setup: () => ({ api: { t: { value: 1 } } }),
    })
    const b = definePlugin({
      name: 'service/b',
      kind: 'service',
      needs: { t: Thing },
      provides: { o: Other },
      setup: () => ({ api: { o: {} } }),
    })
    await expect(start([a, b])).rejects.toThrow("'service/a' needs 'service/b' needs 'service/a'")
  })

  test('a plugin that lacks a hook of its kind is refused', async () => {
    const half = { name: 'policy/half', kind: 'policy', setup: () => ({}) } as unknown as Plugin
    await expect(start([half])).rejects.toThrow("returned no 'check'")
  })

  test('a root that is a file, or cannot be written, is refused', async () => {
    const file = `${tempRoot().path}/file`
    writeFileSync(file, '')
    await expect(start([], { root: file })).rejects.toMatchObject({ code: 'ROOT_UNUSABLE' })
    await expect(start([], { root: '/proc/none' })).rejects.toMatchObject({ code: 'ROOT_UNUSABLE' })
  })

  test("a root is its owner's alone, and what had to be made above it is as others expect it", async () => {
    const above = join(tempRoot().path, 'modules')
    const gateway = await start(basics(tableEngine().plugin), { root: join(above, 'gateway') })
    const modeOf = (path: string) => statSync(path).mode & 0o777
    expect([modeOf(above), modeOf(join(above, 'gateway'))]).toEqual([0o777 & ~process.umask(), 0o700])
    await gateway.close()
  })

  test('a root whose path is too long for a unix socket is refused with that reason', async () => {
    const root = join(tempRoot().path, 'long'.repeat(30))
    const message = expect.stringContaining("a unix socket's path has at most 107 bytes")
    await expect(start([httpApi({ tcp: false })], { root })).rejects.toMatchObject({ code: 'LISTEN_FAILED', message })
  })

  test('two gateways live in one process', async () => {
    const [one, two] = [tableEngine(), tableEngine()]
    const [a, b] = await Promise.all([start(basics(one.plugin)), start(basics(two.plugin))])
    const { set } = await import('./parts.ts')
    await a.dispatch(set('w', 'a.example.org'))
    await b.dispatch(set('w', 'b.example.org'))
    await a.close()
    expect(two.state.served.size).toBe(1)
    expect(b.routes.byHost('b.example.org')).toBeDefined()
    await b.close()
    await expect(b.dispatch(set('x', 'x.example.org'))).rejects.toMatchObject({ code: 'STOPPING' })
  })
})
