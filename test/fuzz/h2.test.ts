import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { BufferBudget } from '../../plugins/engine/embedded/buffer-budget.ts'
import type { Exchange } from '../../plugins/engine/embedded/exchange.ts'
import { Session } from '../../plugins/engine/embedded/h2/session.ts'
import { Peer } from '../plugins/engine/embedded/h2-peer.ts'
import { socketPair } from '../plugins/engine/embedded/socket-pair.ts'
import { patience, runs } from './runs.ts'

/** How an answer is made. `never`: it is not; `cut`: it breaks off. */
const kinds = ['whole', 'pieces', 'echo', 'early', 'late', 'trailers', 'bodyless', 'cut', 'never'] as const
type Kind = (typeof kinds)[number]
const endings = ['goaway', 'half-close', 'server', 'gone'] as const

const where = fc.nat(1_000)
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('request'),
      kind: fc.constantFrom(...kinds),
      size: size(),
      upload: fc.option(size()),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('data'), where, bytes: fc.nat(40_000), padding: fc.constantFrom(0, 0, 0, 1, 255) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('finish'), where, trailers: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reset'), where }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('widen'), where, bytes: fc.integer({ min: 1, max: 200_000 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('widen all'), bytes: fc.integer({ min: 1, max: 200_000 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settings'), id: fc.constantFrom(1, 4), value: fc.nat(100_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ping') }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait') }) },
)
function size() {
  return fc.oneof(fc.constant(0), fc.nat(2_000), fc.nat(300_000))
}

const soon = (assertion: () => unknown) => vi.waitFor(assertion, { timeout: 30_000, interval: 5 })

/** Bytes that tell whose they are and where they stand. */
const pattern = (of: string, size: number) => {
  const word = Buffer.from(`<${of}>`)
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size; at += 97) {
    bytes.writeUInt8((at / 97) & 255, at)
    word.copy(bytes, at + 1)
  }
  return bytes
}

class Backend {
  readonly served: string[] = []
  readonly gone: string[] = []
  #toDrain = new Map<string, () => void>()

  serve(exchange: Exchange): void {
    const [, kind = '', size = '', name = ''] = exchange.target.split('/')
    this.served.push(name)
    exchange.watch({
      clientDrained: () => this.#toDrain.get(name)?.(),
      gone: () => {
        this.gone.push(name)
        this.#toDrain.delete(name)
      },
    })
    this.#answer(exchange, kind as Kind, pattern(name, Number(size)), name)
  }
  #answer(exchange: Exchange, kind: Kind, bytes: Buffer, name: string): void {
    const respond = (bodyless = false) => exchange.respond(200, '', ['X-Name', name], { bodyless, trailers: true })
    const whole = () => {
      respond()
      exchange.end(bytes, [])
    }
    switch (kind) {
      case 'whole':
        exchange.inform(103, ['Link', '<a>'])
        setImmediate(whole)
        break
      case 'early':
        whole()
        break
      case 'late':
        if (exchange.body) exchange.body.on('end', whole).resume()
        else setTimeout(whole, 1)
        break
      case 'bodyless':
        respond(true)
        exchange.end(undefined, [])
        break
      case 'pieces':
      case 'trailers':
      case 'cut':
        exchange.body?.resume()
        respond()
        this.#pieces(exchange, bytes, name, kind)
        break
      case 'echo':
        respond()
        this.#echo(exchange, name)
        break
      case 'never':
        exchange.body?.resume()
    }
  }
  #pieces(exchange: Exchange, bytes: Buffer, name: string, kind: Kind): void {
    let at = 0
    const stop = kind === 'cut' ? bytes.length / 2 : bytes.length
    const write = () => {
      while (at < stop) {
        const piece = bytes.subarray(at, at + 10_007)
        at += piece.length
        if (!exchange.write(piece)) return
      }
      this.#toDrain.delete(name)
      if (kind === 'cut') exchange.cut()
      else exchange.end(undefined, kind === 'trailers' ? ['X-Last', name] : [])
    }
    this.#toDrain.set(name, write)
    setImmediate(write)
  }
  #echo(exchange: Exchange, name: string): void {
    const { body } = exchange
    if (!body) {
      exchange.end(undefined, [])
      return
    }
    this.#toDrain.set(name, () => body.resume())
    body.on('data', (chunk: Buffer) => {
      if (!exchange.write(chunk)) body.pause()
    })
    body.on('end', () => exchange.end(undefined, exchange.trailers()))
  }
}

interface Asked {
  readonly kind: Kind
  readonly size: number
  readonly name: string
  left: Buffer
  readonly upload: Buffer | undefined
  open: boolean
  reset: boolean
  trailers: boolean
  /** Its last bytes say that they are the last. */
  readonly endsWithData: boolean
}

const play = async (steps: readonly Step[], ending: (typeof endings)[number], connection: number) => {
  const [near, far] = await socketPair()
  const backend = new Backend()
  const reasons: string[] = []
  const buffers = new BufferBudget({ connection, address: 0, total: 0 }, () => undefined).open(
    '127.0.0.1',
    false,
    () => undefined,
  )
  const session = new Session({
    socket: near,
    client: {
      address: '127.0.0.1',
      secure: true,
      port: '443',
      trusted: false,
      serverName: 'a.test',
      buffers,
    },
    limits: { headerBytes: 32_768, headerTime: 60_000, idleTime: 60_000, streams: 1_000, controlFrames: 1_000_000 },
    serve: (exchange) => backend.serve(exchange),
    ended: (reason) => reasons.push(reason),
  })
  const peer = new Peer(far)
  const asked = new Map<number, Asked>()
  const pick = (at: number, of: (one: Asked) => boolean) => {
    const some = [...asked].filter(([, one]) => of(one))
    return some[at % some.length]
  }
  const uploading = (one: Asked) => one.open && !one.reset
  const upload = (id: number, one: Asked, most: number, padding: number) => {
    const piece = one.left.subarray(0, most)
    // The server may end its side and have no use for the rest.
    if ((peer.got.get(id)?.resets.length ?? 0) > 0) one.open = false
    else {
      const last = piece.length === one.left.length && one.endsWithData
      one.left = one.left.subarray(peer.data(id, piece, padding, last))
      if (last && one.left.length === 0) one.open = false
    }
  }
  const finish = (id: number, one: Asked) => {
    one.open = false
    if (one.trailers) peer.trailers(id)
    else peer.data(id, Buffer.alloc(0), 0, true)
  }
  const request = (kind: Kind, size: number, sent: number | null, endsWithData = false) => {
    const name = `n${asked.size}`
    const id = peer.request(`/${kind}/${size}/${name}`, sent !== null)
    const upload = sent === null ? undefined : pattern(`up-${name}`, sent)
    const left = upload ?? Buffer.alloc(0)
    asked.set(id, { kind, size, name, left, upload, open: sent !== null, reset: false, trailers: false, endsWithData })
  }
  let pings = 0
  for (const step of steps) {
    switch (step.do) {
      case 'request':
        request(step.kind, step.size, step.upload)
        break
      case 'data': {
        const [id, one] = pick(step.where, uploading) ?? []
        if (id && one) upload(id, one, step.bytes, step.padding)
        break
      }
      case 'finish': {
        const [, one] = pick(step.where, uploading) ?? []
        if (one) one.trailers = step.trailers
        break
      }
      case 'reset': {
        const [id, one] = pick(step.where, ({ reset }) => !reset) ?? []
        if (!id || !one) break
        one.reset = true
        peer.reset(id)
        break
      }
      case 'widen': {
        const [id] = pick(step.where, ({ reset }) => !reset) ?? []
        if (id) peer.widen(id, step.bytes)
        break
      }
      case 'widen all':
        peer.widen(0, step.bytes)
        break
      case 'settings':
        peer.settings([[step.id, step.value]])
        break
      case 'ping':
        pings++
        peer.send(6, 0, 0, Buffer.alloc(8))
        break
      case 'wait':
        await new Promise((done) => setTimeout(done, 1))
    }
  }
  if (ending === 'gone') far.resetAndDestroy()
  else {
    peer.settings([[4, 1_000_000]])
    // Apart from each other, so that each has to set going what waits for it.
    await new Promise((done) => setTimeout(done, 2))
    peer.widen(0, 100_000_000)
    // Bodies in one frame, together more than the connection takes.
    for (let count = 0; count < 70; count++) request('late', 10, 16_000, true)
    // All that was begun comes to its end.
    await soon(() => {
      for (const [id, one] of asked) {
        while (uploading(one) && one.left.length > 0) {
          const before = one.left.length
          upload(id, one, before, 0)
          if (one.left.length === before) break
        }
        if (uploading(one) && one.left.length === 0) finish(id, one)
        if (one.kind === 'never' && !one.open && !one.reset) {
          one.reset = true
          peer.reset(id)
        }
      }
      for (const [id, one] of asked) check(one, peer.got.get(id))
      expect(backend.gone.length).toBe(backend.served.length)
      expect(peer.pongs).toBe(pings)
      // What came of bodies has made room again, but for what is not worth a frame.
      expect(peer.room).toBeGreaterThan(1_048_576 / 2)
    })
    if (ending === 'goaway') peer.send(7, 0, 0, Buffer.alloc(8))
    else if (ending === 'half-close') far.end()
    else {
      session.goAway()
      session.goAway()
    }
    await soon(() => expect(peer.ended).toBe(true))
    far.destroy()
  }
  await soon(() => expect(backend.gone.toSorted()).toEqual(backend.served.toSorted()))
  // What waited for a socket that is gone is given back with its connection.
  if (ending !== 'gone') await soon(() => expect(buffers.bytes).toBe(0))
  expect(new Set(backend.gone).size).toBe(backend.gone.length)
  expect({ reasons, complaints: peer.complaints }).toEqual({ reasons: [], complaints: [] })
}
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const check = ({ kind, size, name, upload, reset }: Asked, got: ReturnType<Peer['got']['get']>) => {
  const body = Buffer.concat(got?.body ?? [])
  const wanted = kind === 'echo' ? (upload ?? Buffer.alloc(0)) : kind === 'bodyless' ? Buffer.alloc(0) : pattern(name, size)
  // Broken off or not, what came is the beginning of what was to come.
  if (!body.equals(wanted.subarray(0, body.length))) throw new Error(`wrong bytes of ${name}`)
  if (reset) return
  if (kind === 'cut') expect(got).toMatchObject({ ends: 0, resets: [2] })
  else {
    expect(got).toMatchObject({ status: '200', ends: 1 })
    expect(body.length).toBe(wanted.length)
    expect(got?.resets.filter((code) => code !== 0)).toEqual([])
  }
  if (kind === 'trailers') expect(got?.trailers).toEqual(['x-last', name])
}

test(
  'whatever a client and its backends do, each request gets the bytes of its own answer and ends once',
  { timeout: patience },
  () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 80 }),
        fc.constantFrom(...endings),
        fc.constantFrom(0, 2_097_152),
        play,
      ),
      {
        // Each one is a connection with all that happens on it, and a smaller one takes as long.
        numRuns: Math.ceil(runs / 500),
        endOnFailure: true,
      },
    ),
)
