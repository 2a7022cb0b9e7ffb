import { existsSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parse, stringify } from 'yaml'
import { GatewayError, type Service } from '../../../core/index.ts'
import { writeFileAtomic } from '../../../lib/atomic-file.ts'
import { userNamed } from '../../../lib/passwd.ts'
import { findProgram } from '../../../lib/program.ts'
import { joinWords, splitWords } from '../../../lib/shell-words.ts'
import { shown } from '../../../lib/shown.ts'
import { hashOf, markName, wrongWith } from '../../../lib/supervision/service.ts'

/** A unit as its file says. `mark`: whose it is; absent where another program wrote it. */
export interface UnitFile {
  readonly words: readonly string[]
  readonly mark?: Mark
}
export interface Mark {
  readonly root: string
  readonly hash: string
  readonly keep: boolean
}

/** The folder of zinit's unit files, and what of it belongs to the gateway of this root. */
export const unitFiles = (folder: string, root: string) => {
  const pathOf = (name: string) => join(folder, `${name}.yaml`)
  const read = async (name: string): Promise<UnitFile | undefined> => {
    const found: unknown = await readFile(pathOf(name), 'utf8').then(parse, () => undefined)
    const exec = member(found, 'exec')
    const words = typeof exec === 'string' ? splitWords(exec) : undefined
    const mark = readMark(member(member(found, 'env'), markName))
    return words && { words, ...(mark && { mark }) }
  }
  return {
    folder,
    read,
    /** A unit that is there already, also by a link, is replaced. Rejects with PROCESS_FAILED. */
    async write(service: Service): Promise<void> {
      const { PATH = '', HOME = '' } = process.env
      const { root: whose, hash, keep } = markOf(root, service)
      const env = { PATH, HOME, ...service.env, [markName]: `${whose}:${hash}:${keep ? 'keep' : 'end'}` }
      const unit = { exec: joinWords(wordsOf(service)), dir: service.cwd ?? '/', env }
      // Variables may hold secrets.
      await writeFileAtomic(
        pathOf(service.name),
        stringify(unit, { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' }),
      )
    },
    remove: (name: string): Promise<void> => rm(pathOf(name), { force: true }),
    /** The names of the units of this root; none where there is no folder. */
    async ours(): Promise<readonly { readonly name: string; readonly keep: boolean }[]> {
      const all = existsSync(folder) ? await readdir(folder) : []
      const names = all.flatMap((file) => (file.endsWith('.yaml') ? file.slice(0, -'.yaml'.length) : []))
      const marked = await Promise.all(names.map(async (name) => ({ name, mark: (await read(name))?.mark })))
      return marked.flatMap(({ name, mark }) => (mark?.root === root ? [{ name, keep: mark.keep }] : []))
    },
  }
}
export type UnitFiles = ReturnType<typeof unitFiles>

/** What zinit starts. Every wrapper runs the command in its own place (exec), so that the pid is the command's own. */
const wordsOf = (service: Service): readonly string[] => {
  const command = findProgram(service.command)
  if (!command)
    throw failed(
      service,
      `the program '${shown(service.command)}' is not there or not executable`,
      'install it, or give its path',
    )
  const user = service.user === undefined ? undefined : userNamed(service.user)
  if (service.user !== undefined && !user)
    throw failed(service, `there is no user '${shown(service.user)}'`, `make the user, or run ${service.name} as another`)
  const asUser = user ? ['setpriv', '--reuid', `${user.uid}`, '--regid', `${user.gid}`, '--clear-groups', '--'] : []
  return [...(service.netns === undefined ? [] : ['ip', 'netns', 'exec', service.netns]), ...asUser, command, ...service.args]
}

/** Whether a unit that runs is what the service asks for: ours by its mark, another program's by its words. */
export const serves = (file: UnitFile, root: string, service: Service): boolean => {
  if (file.mark) return file.mark.root === root && file.mark.hash === hashOf(service)
  const { netns, command, args } = started(file)
  return (
    basename(command) === basename(service.command) &&
    netns === service.netns &&
    args.length === service.args.length &&
    args.every((arg, at) => arg === service.args[at])
  )
}

/** A unit's words taken apart. */
export const started = ({ words }: UnitFile): Pick<Service, 'command' | 'args' | 'netns'> => {
  const inNetns = words[0] !== undefined && basename(words[0]) === 'ip' && words[1] === 'netns' && words[2] === 'exec'
  const [command = '', ...args] = inNetns ? words.slice(4) : words
  return { command, args, ...(inNetns && words[3] !== undefined && { netns: words[3] }) }
}

/** Throws PROCESS_FAILED where it is plain before the start that it cannot be started. */
export const checkService = (service: Service): void => {
  const wrong = wrongWith(service)
  if (wrong) throw failed({ ...service, name: shown(service.name) }, wrong.why, wrong.fix)
  wordsOf(service)
}

export const failed = (service: Service, why: string, fix: string): GatewayError =>
  new GatewayError('PROCESS_FAILED', `${service.name} cannot be started: ${why}`, fix)

const markOf = (root: string, service: Service): Mark => ({ root, hash: hashOf(service), keep: service.keep ?? false })

const readMark = (text: unknown): Mark | undefined => {
  const [, root, hash, keep] = (typeof text === 'string' && /^(.+):([0-9a-f]{32}):(keep|end)$/.exec(text)) || []
  return root === undefined || hash === undefined ? undefined : { root, hash, keep: keep === 'keep' }
}
const member = (of: unknown, key: string): unknown => (typeof of === 'object' && of !== null ? Reflect.get(of, key) : undefined)
