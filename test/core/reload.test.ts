import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { definePlugin, type Plugin, type WorkloadId } from '../../core/index.ts'
import { memory } from '../../plugins/store/memory/index.ts'
import { freePort } from '../kit/index.ts'
import { anyHost, anyTls, set, start, tableEngine } from './parts.ts'

const withOptions = (plugin: Plugin, options: unknown): Plugin => ({ ...plugin, options })
const store = memory()

const counted = (name: string, options: unknown, log: string[], fails = false): Plugin =>
  definePlugin({
    name: `service/${name}`,
    kind: 'service',
    options,
    setup: () => {
      if (fails) throw new Error('wrong')
      log.push(`start ${name}`)
      return { close: () => void log.push(`close ${name}`) }
    },
  })

describe('a reload', () => {
  test('keeps what did not change, replaces what did, and loses no route', async () => {
    const log: string[] = []
    const [old, fresh] = [tableEngine('e'), tableEngine('e')]
    const plugins = {
      now: [
        store,
        anyHost(),
        anyTls(),
        withOptions(old.plugin, { port: 1 }),
        counted('a', { x: 1 }, log),
        counted('b', { y: [1] }, log),
      ],
    }
    const gateway = await start(plugins.now, { source: async () => ({ plugins: plugins.now }) })
    await gateway.dispatch(set('a', 'a.example.org'))
    plugins.now = [
      store,
      anyHost(),
      anyTls('other'),
      withOptions(fresh.plugin, { port: 2 }),
      counted('a', { x: 1 }, log),
      counted('c', {}, log),
    ]
    const report = await gateway.reload()
    expect(report).toMatchObject({
      kept: expect.arrayContaining(['store/memory', 'service/a']),
      replaced: expect.arrayContaining(['engine/e']),
      added: ['resolver/other', 'service/c'],
      removed: ['resolver/none', 'service/b'],
    })
    expect(fresh.state.served.get('a' as WorkloadId)).toMatchObject({ host: 'a.example.org', tls: { resolver: 'other' } })
    expect(log).toContain('start c')
    expect(log).not.toContain('close a')
    await gateway.dispatch(set('b', 'b.example.org'))
    expect(fresh.state.served.size).toBe(2)
    await gateway.close()
    expect(old.state.closed).toBe(true)
    expect(log).toContain('close b')
  })

  test('refuses a wrong config while the old one runs on', async () => {
    const log: string[] = []
    const engine = tableEngine()
    const plugins: { now: unknown } = { now: [store, anyHost(), anyTls(), engine.plugin] }
    const gateway = await start([store, anyHost(), anyTls(), engine.plugin], { source: async () => ({ plugins: plugins.now }) })
    await gateway.dispatch(set('a', 'a.example.org'))
    plugins.now = 'nothing'
    await expect(gateway.reload()).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    plugins.now = [store, anyHost(), anyTls(), tableEngine().plugin, counted('good', {}, log), counted('bad', {}, log, true)]
    await expect(gateway.reload()).rejects.toMatchObject({ code: 'PLUGIN_FAILED' })
    expect(log).toEqual(['start good', 'close good'])
    plugins.now = [memory(), anyHost(), anyTls(), engine.plugin].slice(1)
    await expect(gateway.reload()).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('store') })
    await gateway.dispatch(set('b', 'b.example.org'))
    expect(engine.state.served.size).toBe(2)
    await gateway.close()
  })

  test('refuses a plugin that wants the port of one that runs on, which goes on being served', async () => {
    const port = await freePort()
    const answering = (says: string, at: number): Plugin =>
      definePlugin({
        name: `service/${says}`,
        kind: 'service',
        options: { at },
        setup: async ({ listen }) => {
          const listener = await listen({ host: '127.0.0.1', port: at }, (socket) => socket.end(says))
          return { close: () => listener.close() }
        },
      })
    const [other, third] = [await freePort(), await freePort()]
    const plugins = { now: [store, answering('one', port), answering('two', other)] }
    const gateway = await start(plugins.now, { source: async () => ({ plugins: plugins.now }) })
    plugins.now = [store, answering('one', port), answering('two', port)]
    await expect(gateway.reload()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/'service\/one' and 'service\/two'/),
    })
    expect([await ask(port), await ask(other)]).toEqual(['one', 'two'])
    plugins.now = [store, answering('one', third), answering('two', port)]
    await gateway.reload()
    expect([await ask(third), await ask(port)]).toEqual(['one', 'two'])
    await gateway.close()
  })

  test('hands a listening socket to the next generation without closing it', async () => {
    const port = await freePort()
    const answering = (says: string): Plugin =>
      definePlugin({
        name: 'service/answers',
        kind: 'service',
        options: { says },
        setup: async ({ listen }) => {
          const listener = await listen({ host: '127.0.0.1', port }, (socket) => socket.end(says))
          return { close: () => listener.close() }
        },
      })
    const plugins = { now: [store, answering('one')] }
    const gateway = await start(plugins.now, { source: async () => ({ plugins: plugins.now }) })
    const asks = setInterval(() => answers.push(ask(port)), 2)
    const answers: Promise<string>[] = [ask(port)]
    await answers[0]
    plugins.now = [store, answering('two')]
    await gateway.reload()
    clearInterval(asks)
    expect(await ask(port)).toBe('two')
    for (const answer of await Promise.all(answers)) expect(['one', 'two']).toContain(answer)
    await gateway.close()
    await expect(ask(port)).rejects.toThrow('ECONNREFUSED')
  })
})

const ask = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ''
    connect(port, '127.0.0.1')
      .on('data', (data) => {
        text += data
      })
      .on('end', () => resolve(text))
      .on('error', reject)
  })
