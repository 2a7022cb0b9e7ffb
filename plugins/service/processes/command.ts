import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { GatewayError, type Service } from '../../../core/index.ts'
import { missingNetns } from '../../../lib/netns.ts'
import { userNamed } from '../../../lib/passwd.ts'
import { findProgram } from '../../../lib/program.ts'
import { shown } from '../../../lib/shown.ts'
import { markName, wrongWith } from '../../../lib/supervision/service.ts'

/** What is given to the system to start a service. */
export interface Launch {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly uid?: number
  readonly gid?: number
}

/**
 * Every wrapper here runs the command in its own place (exec), so that the pid is the command's own. Throws PROCESS_FAILED where it
 * is plain before the start that there is nothing to start.
 */
export const launchOf = async (service: Service, mark: string): Promise<Launch> => {
  const { cwd = '/' } = service
  if (!isFolder(cwd)) throw failed(service, `its folder ${shown(cwd)} is not there`, 'make the folder')
  const missing = missingNetns(service)
  if (missing !== undefined)
    throw failed(service, `the network namespace '${shown(missing)}' is not there`, `make it: ip netns add ${shown(missing)}`)
  const command = findProgram(service.command)
  if (!command)
    throw failed(
      service,
      `the program '${shown(service.command)}' is not there or not executable`,
      'install it, or give its path',
    )
  const root = process.getuid?.() === 0
  const user = root && service.user !== undefined ? knownUser(service, service.user) : undefined
  const setpriv = findProgram('setpriv')
  const tied = service.keep || !setpriv || !(await knowsParentDeath(setpriv)) ? [] : ['--pdeathsig', 'KILL']
  const inNetns = service.netns === undefined ? [] : netnsWords(service, service.netns)
  // Entering a namespace takes root: the user changes behind it.
  const asUser = user && inNetns.length ? ['--reuid', `${user.uid}`, '--regid', `${user.gid}`, '--clear-groups'] : []
  if (asUser.length && !setpriv) throw failed(service, 'a user in a network namespace takes setpriv', 'install util-linux')
  const priv = setpriv && (asUser.length || tied.length) ? [setpriv, ...asUser, ...tied, '--'] : []
  const [file = command, ...args] = [...inNetns, ...priv, command, ...service.args]
  const { PATH = '', HOME = '' } = process.env
  return {
    file,
    args,
    cwd,
    env: { PATH, HOME, ...service.env, [markName]: mark },
    ...(user && !asUser.length && user),
  }
}

export const failed = (service: Service, why: string, fix: string, cause?: unknown): GatewayError =>
  new GatewayError('PROCESS_FAILED', `${service.name} cannot be started: ${why}`, fix, { cause })

const netnsWords = (service: Service, netns: string): readonly string[] => {
  const ip = findProgram('ip')
  if (!ip) throw failed(service, "a network namespace takes the program 'ip'", 'install iproute2')
  return [ip, 'netns', 'exec', netns]
}

const knownUser = (service: Service, name: string): { readonly uid: number; readonly gid: number } => {
  const user = userNamed(name)
  if (!user) throw failed(service, `there is no user '${shown(name)}'`, `make the user, or run ${service.name} as another`)
  return user
}

/** Throws PROCESS_FAILED where name, arguments or variables cannot be those of a process. */
export const checkService = (service: Service): void => {
  const wrong = wrongWith(service)
  if (wrong) throw failed({ ...service, name: shown(service.name) }, wrong.why, wrong.fix)
}

const isFolder = (path: string): boolean => {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** Whether children can be made to die with the gateway: setpriv of util-linux can, the one of busybox cannot. */
const knowsParentDeath = (setpriv: string): Promise<boolean> => {
  known ??= new Promise((done) => {
    execFile(setpriv, ['--pdeathsig', 'KILL', '--', 'true'], { timeout: 5_000 }, (error) => done(!error))
  })
  return known
}
let known: Promise<boolean> | undefined
