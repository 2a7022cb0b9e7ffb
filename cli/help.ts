import type { ArgsDef } from 'citty'
import type { Verb } from './verb.ts'
import { verbs } from './verbs.ts'

/** `gateway --help`. */
export const overview = (): void =>
  print(
    'zos-gateway makes names live for workloads: https, certificates, metered.',
    '',
    'Usage:',
    '  gateway [--config file] [--root folder] [--broker url]   run the gateway',
    '  gateway <command> [flags]                                talk to a running one',
    '',
    'Commands:',
    ...columns(Object.entries(verbs).map(([name, { summary }]) => [name, summary])),
    '',
    'Try, in two terminals:',
    '  gateway',
    '  gateway set-name 1-1-hello hello http://127.0.0.1:9000 && curl -k https://hello.gw.localhost:8443',
    '',
    '`gateway <command> --help` explains one command.',
    'Exit codes: 0 done, 2 refused, 4 not found, 5 try again later, 69 not running, 70 internal, 71-78 cannot start.',
  )

/** `gateway <verb> --help`. */
export const verbHelp = (name: string, summary: string, { args, about, examples, repeats }: Verb): void => {
  const words = Object.entries(args).filter(([, { type }]) => type === 'positional')
  const flags = Object.entries(args).filter(([, { type }]) => type !== 'positional')
  const usage = words.map(([word, { required }]) => (required === false ? `[${word}]` : `<${word}>`)).join(' ')
  print(
    summary,
    '',
    'Usage:',
    `  gateway ${[name, usage && `${usage}${repeats ? '...' : ''}`, flags.length ? '[flags]' : ''].filter(Boolean).join(' ')}`,
    ...(about ? ['', about] : []),
    ...(words.length ? ['', ...columns(words.map(([word, { description = '' }]) => [word, description]))] : []),
    ...(flags.length ? ['', 'Flags:', ...columns(flags.map(([flag, def]) => [spelling(flag, def), def.description ?? '']))] : []),
    '',
    'Examples:',
    ...examples.map((line) => `  ${line}`),
  )
}

const spelling = (flag: string, def: ArgsDef[string]): string => {
  const short = 'alias' in def && def.alias ? `-${[def.alias].flat()[0]}, ` : ''
  return `${short}--${flag}${def.type === 'boolean' ? '' : ` ${def.valueHint ?? 'value'}`}`
}

const columns = (rows: readonly (readonly [string, string])[]): string[] => {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}   ${right}`)
}

const print = (...lines: string[]): void => void process.stdout.write(`${lines.join('\n')}\n`)
