import { execFile } from 'node:child_process'
import { GatewayError } from '../../../core/index.ts'

/** What `traefik version` says, as numbers: `[3, 6, 15]`. */
export type Version = readonly [major: number, minor: number, patch: number]

const oldest: Version = [3, 0, 0]

/** Holes in old versions that concern what the gateway has Traefik do, by name, each with the first version without it. */
const holes: readonly { readonly name: string; readonly what: string; readonly fixed: Version }[] = [
  { name: 'CVE-2024-45410', what: 'a client can have the X-Forwarded fields dropped', fixed: [3, 1, 3] },
  { name: 'CVE-2025-66490', what: 'an encoded path goes round rules on paths', fixed: [3, 6, 4] },
  { name: 'GHSA-89p3-4642-cr2w', what: 'a client can hold connections open for ever', fixed: [3, 6, 8] },
]

/** Asks the program itself, within 10 s. Rejects with PROCESS_FAILED where it is missing, is no Traefik, or is too old to work. */
export const checkVersion = async (command: string): Promise<Version> => {
  const said = await ask(command)
  const found = /^Version:\s+v?(\d+)\.(\d+)(?:\.(\d+))?/m.exec(said)
  if (!found) throw unusable(`'${command} version' names no version`, 'name the Traefik program in traefik({ command })')
  const version: Version = [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)]
  if (!atLeast(version, oldest))
    throw unusable(`Traefik ${version.join('.')} is too old`, `install ${oldest.join('.')} or newer; see docs/engine-traefik.md`)
  return version
}

export const atLeast = (version: Version, wanted: Version): boolean => {
  for (const [at, number] of wanted.entries()) {
    const have = version[at] ?? 0
    if (have !== number) return have > number
  }
  return true
}

/** A sentence for each known hole of this version. */
export const warnings = (version: Version): readonly string[] =>
  holes
    .filter(({ fixed }) => !atLeast(version, fixed))
    .map(({ name, what, fixed }) => `Traefik ${version.join('.')} has ${name} (${what}): update to ${fixed.join('.')} or newer`)

const ask = (command: string) =>
  new Promise<string>((resolve, reject) => {
    execFile(command, ['version'], { timeout: 10_000, killSignal: 'SIGKILL', maxBuffer: 65_536 }, (error, stdout) => {
      if (!error) return resolve(stdout)
      const missing = error.code === 'ENOENT'
      const why = missing ? `there is no '${command}'` : `'${command} version' failed: ${error.message.split('\n')[0]}`
      reject(unusable(why, 'install Traefik (docs/engine-traefik.md), or name the program in traefik({ command })', error))
    })
  })

const unusable = (message: string, fix: string, cause?: unknown) => new GatewayError('PROCESS_FAILED', message, fix, { cause })
