import { resolve } from 'node:path'
import type { Flags } from '../core/config.ts'
import { GatewayError } from '../core/errors.ts'
import type { RunFlags } from './serve.ts'

/** Checked flags, each from the command line or else from its variable, such as GATEWAY_HTTP. Throws BAD_REQUEST. */
export const readFlags = (
  given: RunFlags,
  env: NodeJS.ProcessEnv,
): Flags & { readonly config?: string | undefined; readonly preset?: string | undefined } => {
  const text = (name: 'root' | 'broker' | 'config' | 'preset' | 'netns' | 'supervisor') =>
    given[name] ?? (env[variable(name)] || undefined)
  const number = (name: 'workers' | 'http' | 'https' | 'api', most: number) => {
    const value = given[name] ?? (env[variable(name)] || undefined)
    return value === undefined ? undefined : toNumber(value, given[name] === undefined ? variable(name) : `--${name}`, most)
  }
  return {
    root: text('root'),
    broker: text('broker'),
    brokerPassword: brokerPassword(given, env),
    netns: text('netns'),
    supervisor: toSupervisor(text('supervisor')),
    config: text('config'),
    // A preset of the environment yields to a config file of the command line.
    preset: given.preset ?? (given.config === undefined ? text('preset') : undefined),
    workers: number('workers', 9_999),
    http: number('http', 65_535),
    https: number('https', 65_535),
    api: number('api', 65_535),
  }
}

/** From a file or the environment only: other users of the machine can see a command line. */
const brokerPassword = (given: RunFlags, env: NodeJS.ProcessEnv): Flags['brokerPassword'] => {
  const file = given['broker-password-file'] ?? (env[variable('broker_password_file')] || undefined)
  if (file !== undefined) return { file: resolve(file) }
  const name = variable('broker_password')
  return env[name] ? { env: name } : undefined
}

const variable = (name: string): string => `GATEWAY_${name.toUpperCase()}`

const toSupervisor = (text: string | undefined): Flags['supervisor'] => {
  if (text === undefined || text === 'zinit' || text === 'processes') return text
  throw new GatewayError(
    'BAD_REQUEST',
    `there is no supervisor ${JSON.stringify(text)}`,
    'give --supervisor (or GATEWAY_SUPERVISOR) as zinit or processes',
  )
}

const toNumber = (text: string, name: string, most: number): number => {
  const number = /^[1-9][0-9]*$/.test(text) ? Number(text) : 0
  if (number > 0 && number <= most) return number
  throw new GatewayError(
    'BAD_REQUEST',
    `${name} ${JSON.stringify(text)} is no number from 1 to ${most}`,
    `give ${name} such a number`,
  )
}
