import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { execa } from 'execa'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { formatBackend, parseBackend } from '../../lib/backend.ts'
import { parseIp } from '../../lib/ip.ts'
import { runs } from '../fuzz/runs.ts'
import { type Root, tempRoot } from '../kit/index.ts'
import { addresses, backends } from './grammar.ts'

interface Verdict {
  readonly ip: string
  readonly pair: boolean
  readonly host: string
  readonly port: string
  readonly url: boolean
  readonly scheme: string
  readonly urlHost: string
  readonly urlPort: string
  readonly more: boolean
}

/** Fault 4: Go's net.ParseIP, net.SplitHostPort and url.Parse as the judge of our parsers. */
describe('against Go', () => {
  const root: Root = tempRoot('oracle')
  const oracle = join(root.path, 'oracle')
  beforeAll(async () => {
    await promisify(execFile)('go', ['build', '-o', oracle, '.'], { cwd: import.meta.dirname })
    return () => root.remove()
  })
  const ask = async (texts: readonly string[]): Promise<readonly Verdict[]> => {
    const { stdout } = await execa(oracle, { input: texts.map((text) => JSON.stringify(text)).join('\n') })
    return stdout.split('\n').map((line) => JSON.parse(line) as Verdict)
  }
  /** As many as fit in memory at a time. */
  const count = Math.min(runs, 50_000)
  const rounds = Array.from({ length: Math.ceil(runs / count) }, (_, round) => round)

  it.each(rounds)('takes the same addresses, in the same canonical spelling (round %i)', async () => {
    const texts = fc.sample(addresses, count)
    const verdicts = await ask(texts)
    const differing = texts.filter((text, at) => (parseIp(text)?.text ?? '') !== verdicts[at]!.ip)
    expect(differing).toEqual([])
    expect(verdicts.filter(({ ip }) => ip !== '').length).toBeGreaterThan(count / 10)
  })

  it.each(rounds)('refuses every backend that Go refuses, and of the rest only what is said (round %i)', async () => {
    const texts = fc.sample(backends, count)
    const verdicts = await ask(texts)
    const seen = { url: 0, pair: 0 }
    for (const [at, text] of texts.entries()) {
      const verdict = verdicts[at]!
      const terminated = byGoUrl(text, verdict)
      const passed = verdict.pair ? (verdict.port === '0' ? '' : address(verdict.host, verdict.port)) : byGoTls(text, verdict)
      expect([text, ours(text, false)]).toEqual([text, terminated])
      expect([text, ours(text, true)]).toEqual([text, passed])
      if (terminated) seen.url++
      if (passed) seen.pair++
    }
    expect(seen.url).toBeGreaterThan(count / 50)
    expect(seen.pair).toBeGreaterThan(count / 50)
  })
})

const ours = (text: string, passthrough: boolean): string => {
  const backend = parseBackend(text, passthrough)
  return typeof backend === 'string' ? '' : formatBackend(backend)
}
const address = (host: string, port: string): string => `${host.includes(':') ? `[${host}]` : host}:${Number(port)}`

/** What Go makes of it, less what we refuse on purpose: user info, path, query, fragment, an empty port, port 0 and over 65535. */
const byGoUrl = (text: string, verdict: Verdict): string => {
  const { scheme, url, more, urlHost, urlPort } = verdict
  if (!url || more || text.includes('#') || !['http', 'https'].includes(scheme) || /:\/?$/.test(text)) return ''
  const port = urlPort || (scheme === 'https' ? '443' : '80')
  return Number(port) > 0 && Number(port) < 65_536 ? `${scheme}://${address(urlHost, port)}` : ''
}
const byGoTls = (text: string, verdict: Verdict): string =>
  verdict.scheme === 'https' && verdict.urlPort !== '' ? byGoUrl(text, verdict).replace('https://', '') : ''
