import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The folder where a run of the tests keeps all that its gateways wrote; unset: nothing is kept. */
export const saidVariable = 'GATEWAY_SUITE_SAID'

/** What must stand in no log. Secrets of the tests are made by `canary`. */
const mark = 'canary7f3e'
/** A secret for a test: where it shows up in anything that a gateway writes, the run of the tests fails. */
export const canary = (what: string): string => `${mark}-${what}-${Math.random().toString(36).slice(2, 12)}`

const secrets: readonly (readonly [what: string, RegExp])[] = [
  ['a secret of a test', new RegExp(mark)],
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY/],
  ['a private JWK', /"d":"[A-Za-z0-9_-]{40,}"/],
  ['a token of the HTTP API', /gwt_[A-Za-z0-9_-]{43}/],
  ['credentials of a request', /authorization["']?\s*[:=]\s*["']?(bearer|basic)\s+[A-Za-z0-9+/_=-]{8,}/i],
]

/** Keeps what a gateway wrote for the end of the run. */
export const keepSaid = (text: string): void => {
  const folder = process.env[saidVariable]
  if (folder) appendFileSync(join(folder, `${process.pid}.log`), text)
}

/** Where secrets stand in what was written, a sentence each. */
export const secretsIn = (text: string): readonly string[] =>
  secrets.flatMap(([what, pattern]) => {
    const at = text.search(pattern)
    return at < 0 ? [] : [`${what}: ...${text.slice(Math.max(0, at - 80), at + 40)}...`]
  })

/** The same of all that a run kept. */
export const secretsSaid = (folder: string): readonly string[] =>
  readdirSync(folder).flatMap((name) => secretsIn(readFileSync(join(folder, name), 'utf8')))
