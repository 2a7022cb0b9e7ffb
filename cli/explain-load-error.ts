import { spawnSync } from 'node:child_process'
import { GatewayError, reason } from '../core/errors.ts'

/** Whatever importing or calling a config file threw, as an error that names the place and says what to do. */
export const explainLoadError = (thrown: unknown, file: string): GatewayError => {
  const at = place(thrown, file)
  if (thrown instanceof GatewayError) return at === file ? thrown : relocated(thrown, at)
  const [message, fix] = explain(thrown, file)
  return new GatewayError('CONFIG_INVALID', `${at}: ${message}`, fix, { cause: thrown })
}

const relocated = (error: GatewayError, at: string) =>
  new GatewayError(error.code, `${at}: ${error.message}`, error.fix, { cause: error })

const explain = (thrown: unknown, file: string): [message: string, fix: string] => {
  const message = reason(thrown)
  const [, asked, from] = /Cannot find (?:package|module) '([^']+)' imported from (.+)$/.exec(message) ?? []
  if (asked) return [`cannot find '${asked}'`, from === file ? install(asked) : `it is imported from ${from}`]
  const [, module = '', name = ''] = /module '([^']+)' does not provide an export named '([^']+)'/.exec(message) ?? []
  if (module) return [`'${module}' has no '${name}'`, 'look for a spelling mistake in the import']
  if (thrown instanceof ReferenceError) return [message, unknownName(message)]
  if (!(thrown instanceof SyntaxError)) return [`loading it failed: ${message}`, 'mend what it does before it exports its config']
  const erasable = 'code' in thrown && thrown.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
  return [message, erasable ? 'types are stripped, not compiled: write it without' : 'mend the syntax']
}

const install = (asked: string): string =>
  /^[./]|^file:/.test(asked)
    ? 'check the path'
    : `npm install ${asked
        .split('/')
        .slice(0, asked.startsWith('@') ? 2 : 1)
        .join('/')}`

const unknownName = (message: string): string => {
  const [name = ''] = message.split(' ')
  return `import ${name} from 'zos-gateway/plugins', or look for a spelling mistake`
}

/** `file:line` where the error tells the line, else the file. */
const place = (thrown: unknown, file: string): string => {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : ''
  const line = lineOf(stack, file) ?? (thrown instanceof SyntaxError ? lineOf(checked(file), file) : undefined)
  return line ? `${file}:${line}` : file
}

const lineOf = (text: string, file: string): string | undefined => {
  const escaped = file.replaceAll(/[^\w/]/g, '\\$&')
  return new RegExp(`${escaped}(?:\\?load=\\d+)?:(\\d+)`).exec(text)?.[1]
}

/** V8 keeps the line of a syntax error from whoever catches it, and prints it where nobody does. */
const checked = (file: string): string =>
  spawnSync(process.execPath, ['--disable-sigusr1', '--check', file], { encoding: 'utf8', timeout: 5_000 }).stderr ?? ''
