#!/usr/bin/env node
import { stripVTControlCharacters } from 'node:util'
import { asGatewayError, errorCodes, GatewayError } from '../core/errors.ts'
import { nearest } from '../lib/nearest.ts'
import { verbs } from './verbs.ts'

/** `gateway [command] [flags]`; without a command the gateway runs. Exit codes: docs/cli.md. */
const main = async (raw: readonly string[]): Promise<void> => {
  const [first = ''] = raw
  if (first === 'help' || ((first === '--help' || first === '-h') && raw.length === 1)) return overview(raw[1])
  if (first === '--version' || first === '-v') return version()
  const named = first !== '' && !first.startsWith('-')
  const name = named ? first : 'run'
  const rest = named ? raw.slice(1) : [...raw]
  const { summary, verb } = await find(name)
  const title = named ? `gateway ${name}` : 'gateway'
  if (rest.some((arg) => arg === '--help' || arg === '-h')) return (await import('./help.ts')).verbHelp(name, summary, verb)
  await verb.execute(rest, title)
}

const overview = async (name: string | undefined): Promise<void> => {
  const help = await import('./help.ts')
  if (name === undefined) return help.overview()
  const { summary, verb } = await find(name)
  return help.verbHelp(name, summary, verb)
}

const version = async (): Promise<void> => {
  const { createRequire } = await import('node:module')
  process.stdout.write(`${createRequire(import.meta.url)('zos-gateway/package.json').version}\n`)
}

const find = async (name: string) => {
  const found = Object.hasOwn(verbs, name) ? verbs[name] : undefined
  if (found) return { summary: found.summary, verb: (await found.load()).default }
  const near = nearest(name, Object.keys(verbs))
  const hint = near ? `did you mean ${near}? ` : ''
  throw new GatewayError('BAD_REQUEST', `unknown command ${JSON.stringify(name)}`, `${hint}see \`gateway --help\``)
}

const fail = async (thrown: unknown, json: boolean, verbose: boolean): Promise<void> => {
  const missing = thrown instanceof Error && thrown.name === 'CLIError'
  const error = missing
    ? new GatewayError(
        'BAD_REQUEST',
        stripVTControlCharacters(thrown.message).replace(/^./, (c) => c.toLowerCase()),
        'add --help to see what it takes',
      )
    : asGatewayError(thrown)
  const { code, message, fix, problems } = error
  const lines = problems.map((each) => `gateway: ${each.code}: ${each.message}${each.fix && ` (${each.fix})`}\n`)
  process.stderr.write(json ? `${JSON.stringify({ code, detail: message, fix, problems })}\n` : lines.join(''))
  if (verbose) process.stderr.write(`${(await import('node:util')).inspect(thrown)}\n`)
  process.exitCode = errorCodes[code].exit
}

// A reader that went away, such as `head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 70))
const args = process.argv.slice(2)
main(args).catch((thrown: unknown) => fail(thrown, args.includes('--json'), args.includes('--verbose')))
