import { asGatewayError, GatewayError } from '../core/errors.ts'
import type { HandOver } from '../core/hand-over.ts'
import { explainBind, type Sockets } from '../core/listeners.ts'
import { parseId } from '../core/parse.ts'
import { openRoot } from '../core/root.ts'
import type { CreateOptions, RunningGateway } from '../core/running-gateway.ts'
import { beat, type Carried, childVariable, type FromChild, type ToChild } from './parent-words.ts'

type Log = NonNullable<CreateOptions['log']>

/** The parent that holds this gateway's sockets; undefined where it runs by itself. */
export const parent = (log: Log) => {
  const coming = process.env[childVariable]
  if (coming === undefined || !process.send) return undefined
  // Programs that it starts are nobody's children of this kind.
  delete process.env[childVariable]
  const say = (word: FromChild) => void process.send?.(word)
  const tellAlive = () => {
    if (process.connected) say({ say: 'alive' })
  }
  tellAlive()
  setInterval(tellAlive, beat).unref()
  const sent = new Set<Promise<void>>()
  const asked = new Map<number, (word: Extract<ToChild, { do: 'listen' }>, handle: unknown) => void>()
  let number = 0
  let gateway: RunningGateway | undefined
  let given: HandOver | undefined
  let released = false
  const begun = Promise.withResolvers<void>()
  const root = Promise.withResolvers<boolean>()

  const sockets: Sockets = {
    bind: (server, address) =>
      new Promise((resolve, reject) => {
        const mine = ++number
        asked.set(mine, (word, handle) => {
          if (!handle) return reject(explainBind(Object.assign(new Error(word.message), { code: word.code }), address))
          resolve({ port: portOf(handle), start: () => server.listening || server.listen(handle, 4096) })
        })
        say({ say: 'listen', number: mine, address })
      }),
    free: (address) => {
      // What another one is to have is not free.
      if (!released) say({ say: 'free', address })
    },
  }
  const release = async () => {
    if (!gateway) return
    // It could not take back what it gave up, and another one tries to take over.
    if (given) return say({ say: 'released' })
    try {
      released = true
      given = await gateway.handOver()
      say({ say: 'released' })
    } catch (error) {
      released = false
      const { code, message, fix } = asGatewayError(error)
      say({ say: 'refused', code, message, fix })
    }
  }
  const resume = async () => {
    try {
      await given?.resume()
      given = undefined
      released = false
      say({ say: 'resumed' })
    } catch (error) {
      const { code, message, fix, text } = asGatewayError(error)
      log('error', `this gateway serves on and takes no operations: ${text}`, {})
      say({ say: 'refused', code, message, fix })
    }
  }
  const leave = async () => {
    log('info', 'another gateway has taken over: connections drain', {})
    const send = (deltas: ReadonlyMap<string, { request: number; response: number }>) => {
      const bytes: Carried = [...deltas].map(([id, { request, response }]) => [id, request, response])
      if (bytes.length === 0) return
      sent.add(new Promise((done) => process.send?.({ say: 'bytes', bytes } satisfies FromChild, undefined, {}, () => done())))
    }
    await given?.leave(send).catch((error) => log('error', asGatewayError(error).text, {}))
    await Promise.all(sent)
    process.disconnect?.()
    process.exit(0)
  }
  const inherit = (bytes: Carried) =>
    gateway?.inheritBytes(new Map(bytes.map(([id, request, response]) => [parseId(id), { request, response }])))

  process.on('message', (word: ToChild, handle: unknown) => {
    switch (word.do) {
      case 'listen':
        asked.get(word.number)?.(word, handle)
        asked.delete(word.number)
        return
      case 'root':
        return root.resolve(word.taken)
      case 'begin':
        return begun.resolve()
      case 'release':
        return void release()
      case 'resume':
        return void resume()
      case 'leave':
        return void leave()
      case 'bytes':
        inherit(word.bytes)?.catch((error) => log('warn', asGatewayError(error).text, {}))
    }
  })
  process.on('disconnect', () => {
    if (given) return
    log('error', 'the process that holds the sockets is gone', {})
    process.exit(70)
  })

  return {
    sockets,
    /** Where one runs already: resolves when it has given everything up but serving. */
    async begin(path: string): Promise<void> {
      await openRoot(path)
      say({ say: 'root', root: path })
      if (await root.promise)
        throw new GatewayError('BUSY', `another gateway has the root ${path}`, 'stop it, or name another --root')
      if (coming !== 'next') return
      say({ say: 'prepared' })
      await begun.promise
    },
    /** It serves. */
    up(running: RunningGateway): void {
      gateway = running
      say({ say: 'up' })
    },
    greets: coming === 'first',
  }
}

const portOf = (handle: unknown): number => {
  const name: { port?: number } = {}
  if (isSocket(handle)) handle.getsockname(name)
  return name.port ?? 0
}
const isSocket = (handle: unknown): handle is { getsockname(out: { port?: number }): number } =>
  typeof handle === 'object' && handle !== null && 'getsockname' in handle && typeof handle.getsockname === 'function'
