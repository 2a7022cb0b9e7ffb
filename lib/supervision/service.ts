import { createHash } from 'node:crypto'

/** What a service is started with (`Service` of the core). */
export interface Startable {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly user?: string
  readonly netns?: string
  readonly revision?: string
  readonly keep?: boolean
}

/** The variable by which a process is known as one of a gateway's. */
export const markName = 'ZOS_GATEWAY_SERVICE'

/** Equal for two services that the same running process can serve. No value of an environment is to be read from it. */
export const hashOf = ({ command, args, env = {}, cwd, user, netns, revision }: Startable): string =>
  createHash('sha256')
    .update(JSON.stringify([command, args, Object.entries(env).sort(), cwd, user, netns, revision]))
    .digest('hex')
    .slice(0, 32)

/** Why name, arguments or variables cannot be those of a process, and what to do; never their values, which may be secret. */
export const wrongWith = ({ name, command, args, env = {} }: Startable): { why: string; fix: string } | undefined => {
  if (!/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,159}$/.test(name))
    return { why: 'that is no name', fix: 'name it with letters, digits, -, _ and dots' }
  if ([command, ...args, ...Object.entries(env).flat()].some((text) => text.includes('\0')))
    return { why: 'there is a NUL in its arguments or variables', fix: 'take it out' }
  return undefined
}
