import type { Socket } from 'node:net'
import { asGatewayError, type Core, type DnsWriter, errorCodes, GatewayError, refused } from '../../../core/index.ts'
import { challengeOf, readChallenge } from '../../../lib/dns/challenge.ts'
import { isUnder } from '../../../lib/host.ts'
import { lingeringClose } from '../../../lib/lingering-close.ts'
import { unlessAborted } from '../../../lib/unless-aborted.ts'
import { parseRequest, readLine } from './request.ts'

interface Parts {
  readonly dns: DnsWriter
  readonly ownZones: (signal: AbortSignal) => Promise<readonly string[]>
  readonly seconds: number
  readonly log: Core['log']
}

/** Answers the program: one line of JSON in, one line `{ exit, text? }` out, and the end. */
export const answerer = ({ dns, ownZones, seconds, log }: Parts) => {
  const stop = new AbortController()
  const running = new Set<Promise<void>>()
  const track = (work: Promise<void>): void => {
    running.add(work)
    work.finally(() => running.delete(work))
  }

  const carryOut = async (line: string, signal: AbortSignal): Promise<void> => {
    const { verb, fqdn: given, value } = parseRequest(line)
    const fqdn = read(given, value, await ownZones(signal))
    log(`${verb} of a DNS challenge`, { name: fqdn })
    if (verb === 'cleanup') return await dns.cleanup(fqdn, value)
    try {
      await unlessAborted(dns.present(fqdn, value, signal), signal)
    } catch (error) {
      // Whoever asked hears that it failed and never cleans up.
      track(
        unlessAborted(dns.cleanup(fqdn, value), AbortSignal.timeout(seconds * 1000)).catch((left) =>
          log('a DNS challenge may be left behind', { name: fqdn, error: left }),
        ),
      )
      throw error
    }
  }

  const serve = async (socket: Socket): Promise<void> => {
    const gone = new AbortController()
    socket.on('error', () => socket.destroy()).on('close', () => gone.abort(lost))
    socket.setTimeout((seconds + 1) * 1000, () => socket.destroy())
    const late = setTimeout(() => gone.abort(tooLate(seconds)), seconds * 1000)
    const signal = AbortSignal.any([gone.signal, stop.signal])
    try {
      const line = await unlessAborted(readLine(socket), signal)
      // The program keeps its side open until it has its answer.
      socket.on('end', () => gone.abort(lost))
      await unlessAborted(carryOut(line, signal), signal)
      lingeringClose(socket, '{"exit":0}\n')
    } catch (thrown) {
      const error = asGatewayError(thrown)
      log('a DNS challenge was not carried out', { error })
      lingeringClose(socket, `${JSON.stringify({ exit: errorCodes[error.code].exit, text: error.text })}\n`)
    } finally {
      clearTimeout(late)
    }
  }

  return {
    accept: (socket: Socket): void => track(serve(socket)),
    /** Calls off what runs, and returns when it has ended. */
    async close(): Promise<void> {
      stop.abort(new GatewayError('STOPPING', 'the gateway is stopping', 'the next renewal tries again'))
      while (running.size > 0) await Promise.all(running)
    },
  }
}

/** The name in its canonical form. Throws FORBIDDEN for one of another zone, BAD_REQUEST for what is no value. */
const read = (fqdn: string, value: string, zones: readonly string[]): string => {
  const owns = (name: string) => zones.some((zone) => isUnder(name, zone))
  const told = readChallenge(fqdn, value, owns, zones.map(challengeOf).join(', ') || 'none: the gateway has no domain')
  if ('problem' in told) throw refused([told.problem])
  return told.name
}

const lost = new GatewayError('TIMEOUT', 'whoever asked for the DNS challenge went away', 'the next renewal tries again')
const tooLate = (seconds: number): GatewayError =>
  new GatewayError(
    'TIMEOUT',
    `the DNS provider did not carry it out within ${seconds} s`,
    'see the log of the gateway and `gateway status`; the next renewal tries again',
  )
