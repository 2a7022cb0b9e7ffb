import { setTimeout as after } from 'node:timers/promises'
import { type Core, GatewayError, reason } from '../../../core/index.ts'
import { coalesce } from '../../../lib/coalesce.ts'
import { ask } from '../../../lib/dns/ask.ts'
import type { NameServer } from '../../../lib/dns/name-server.ts'
import { textsOf } from '../../../lib/dns/reply.ts'
import { portOwner } from '../../../lib/port-owner.ts'
import type { readOptions } from './options.ts'
import type { NameServing } from './server.ts'
import type { Zone } from './zone.ts'

interface Standing {
  /** Returns when the port itself gives this value, over UDP and over TCP. */
  answers(name: string, value: string, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** Serves the zones, now or as soon as the port is free: while it is not, every second is tried. */
export const standing = async (
  { addresses, port }: ReturnType<typeof readOptions>,
  zones: () => readonly Zone[],
  { health, stop }: { health: Core['health']; stop: AbortSignal },
): Promise<Standing> => {
  const { serve } = await import('./server.ts')
  let serving: NameServing | undefined
  let problem: GatewayError | undefined
  const open = async (): Promise<void> => {
    try {
      serving = await serve({ addresses: await present(addresses), port }, zones)
      problem = undefined
      health('ok', undefined, { port })
    } catch (error) {
      problem = await explain(error, port, addresses)
      health('degraded', `${problem.message} (${problem.fix})`)
    }
  }
  const keepTrying = async (): Promise<void> => {
    while (!serving && !stop.aborted) {
      await after(1_000, undefined, { signal: stop, ref: false }).catch(() => undefined)
      if (!stop.aborted) await open()
    }
  }
  await open()
  const trying = keepTrying()
  const [first = '0.0.0.0'] = addresses
  const self = { host: first === '0.0.0.0' ? '127.0.0.1' : first === '::' ? '::1' : first, port }
  const looks = new Map<string, ReturnType<typeof looking>>()
  return {
    async answers(name, value, signal) {
      if (problem) throw problem
      const look = looks.get(name) ?? looking(self, name)
      looks.set(name, look)
      const seen = await look(signal)
      if (!seen.includes(value)) throw silent(`${self.host} port ${port} answers without the value`)
    },
    async close() {
      await trying
      await serving?.close()
    },
  }
}

/** What the port answers now, over TCP and, where it fits, over UDP too. Those who ask at the same time share an answer. */
const looking = (self: NameServer, name: string) => {
  let seen: readonly string[] = []
  const look = coalesce(async () => {
    const [udp, tcp] = await Promise.all(
      (['udp', 'tcp'] as const).map((over) => ask(self, name, 'TXT', { over, timeout: 5_000 })),
    )
    const texts = tcp ? textsOf(tcp) : []
    seen = !udp || udp.truncated ? texts : texts.filter((text) => textsOf(udp).includes(text))
  })
  return async (signal: AbortSignal): Promise<readonly string[]> => {
    const stopped = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
    )
    stopped.catch(() => undefined)
    signal.throwIfAborted()
    await Promise.race([
      look().catch((error: unknown) => {
        throw silent(reason(error))
      }),
      stopped,
    ])
    return seen
  }
}

/** Without the IPv6 wildcard where this machine has no IPv6. */
const present = async (addresses: readonly string[]): Promise<readonly string[]> => {
  const { networkInterfaces } = await import('node:os')
  const six = Object.values(networkInterfaces()).some((each) => each?.some(({ family }) => family === 'IPv6'))
  return six ? addresses : addresses.filter((address) => address !== '::')
}

const explain = async (error: unknown, port: number, addresses: readonly string[]): Promise<GatewayError> => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    const owner = await portOwner(port, addresses)
    return new GatewayError(
      'PORT_IN_USE',
      `port ${port} is in use by ${owner ? `pid ${owner.pid} (${owner.command})` : 'another process'}`,
      'stop it, or give `addresses` that it does not listen on',
      { cause: error },
    )
  }
  const fix = code === 'EACCES' ? 'ports below 1024 need root or CAP_NET_BIND_SERVICE' : 'give `addresses` of this machine'
  return new GatewayError('LISTEN_FAILED', `cannot answer on port ${port}: ${reason(error)}`, fix, { cause: error })
}
const silent = (why: string): GatewayError =>
  new GatewayError('DNS_UNAVAILABLE', `the value is not answered: ${why}`, 'see what else answers on that port, and try again')
