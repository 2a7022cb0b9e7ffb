import { resolve } from 'node:path'
import { type Draft, definePlugin, GatewayError, knownOptions } from '../../../core/index.ts'
import { covers } from '../../../lib/host.ts'
import { type Kept, keepLoaded } from './keep.ts'
import type { FilePair, LoadedPair } from './pair.ts'

export type { FilePair } from './pair.ts'

/**
 * Serves hosts with certificates of the operator's own: `files({ certificate: 'chain.pem', key: 'key.pem' })`, or a list of such. It
 * takes the hosts that a certificate covers, exactly or by wildcard, and leaves the rest to the resolvers after it. Changed files are
 * taken when they are whole and belong together; until then the old certificate is served and the plugin's health says why.
 */
export const files = (options: FilePair | readonly FilePair[]) => {
  const readable = readOptions(options)
  return definePlugin({
    name: 'resolver/files',
    kind: 'resolver',
    options,
    async setup({ health, log, refresh }) {
      const report = ({ pairs, problems }: Pick<Kept, 'pairs' | 'problems'>) => {
        const [wrong] = [...problems, ...pairs.flatMap(({ warning }) => warning ?? []), ...pairs.flatMap(expiry)]
        if (wrong === undefined) health('ok')
        else health('degraded', wrong)
      }
      const kept = await keepLoaded(readable, (now, taken) => {
        report(now)
        for (const { names, notAfter } of taken) log('took a changed certificate', { names, notAfter })
        if (taken.length > 0) refresh()
      })
      const { pairs } = kept
      const daily = setInterval(() => report(kept), day)
      daily.unref()
      report(kept)
      return {
        pace: 'instant' as const,
        durable: false,
        plan(draft: Draft) {
          const name = draft.passthrough ? undefined : nameFor(draft.host, pairs)
          return name === undefined ? undefined : { mode: 'terminate' as const, resolver: 'files', names: [name] }
        },
        async obtain(names: readonly string[], signal: AbortSignal) {
          signal.throwIfAborted()
          const pair =
            pairs.find((each) => names.every((name) => each.names.includes(name))) ??
            pairs.find((each) => names.every((name) => each.names.some((pattern) => covers(pattern, name))))
          if (!pair) throw notCovered(names)
          const { chain, key, notBefore, notAfter } = pair
          return { id: `files ${names.join(' ')}`, resolver: 'files', names, chain, key, notBefore, notAfter }
        },
        // Nothing to do before the file changes, which is found by watching.
        renewAt: ({ notAfter }: { notAfter: Date }) => new Date(Math.max(notAfter.getTime(), Date.now() + day)),
        async close() {
          clearInterval(daily)
          await kept.close()
        },
      }
    },
  })
}

const day = 86_400_000
const warnBefore = 14 * day

/** The name of a certificate that covers the host: itself, or else the wildcard. */
const nameFor = (host: string, loaded: readonly LoadedPair[]): string | undefined => {
  const names = loaded.flatMap((pair) => pair.names)
  return names.find((name) => name === host) ?? names.find((name) => covers(name, host))
}

const expiry = ({ names, notBefore, notAfter }: LoadedPair): readonly string[] => {
  const now = Date.now()
  if (notAfter.getTime() <= now) return [`the certificate of ${names[0]} expired on ${notAfter.toISOString()}`]
  if (notBefore.getTime() > now) return [`the certificate of ${names[0]} is valid from ${notBefore.toISOString()} only`]
  if (notAfter.getTime() - now < warnBefore) return [`the certificate of ${names[0]} expires on ${notAfter.toISOString()}`]
  return []
}

const notCovered = (names: readonly string[]): GatewayError =>
  new GatewayError(
    'CERT_PENDING',
    `no certificate file covers ${names.join(', ')}`,
    'put a certificate that covers it into the files',
  )

const readOptions = (options: FilePair | readonly FilePair[]): readonly FilePair[] => {
  const list = isList(options) ? options : [options]
  const whole = list.length > 0 && list.every((pair) => typeof pair?.certificate === 'string' && typeof pair.key === 'string')
  if (!whole)
    throw new GatewayError(
      'CONFIG_INVALID',
      'files: certificate and key are missing',
      "files({ certificate: 'chain.pem', key: 'key.pem' })",
    )
  for (const pair of list) knownOptions('files', pair, { certificate: true, key: true })
  return list.map(({ certificate, key }) => ({ certificate: resolve(certificate), key: resolve(key) }))
}
const isList = (options: FilePair | readonly FilePair[]): options is readonly FilePair[] => Array.isArray(options)
