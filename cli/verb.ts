import { type ArgsDef, defineCommand, type ParsedArgs, runCommand } from 'citty'
import { checkArgs } from './check-args.ts'

/** A command of the CLI, as main.ts runs it and help.ts explains it. */
export interface Verb {
  readonly args: ArgsDef
  /** A paragraph below the summary in `--help`. */
  readonly about?: string
  readonly examples: readonly string[]
  /** The last positional may stand several times. */
  readonly repeats?: boolean
  /** `title`: the command as typed, for messages. */
  execute(raw: readonly string[], title: string): Promise<void>
}

/** `run` gets the parsed flags, and all positionals in order. */
type Spec<T extends ArgsDef> = Omit<Verb, 'args' | 'execute'> & {
  readonly args: T
  run(args: ParsedArgs<T>, positionals: readonly string[]): void | Promise<void>
}

export const verb = <const T extends ArgsDef>({ run, ...spec }: Spec<T>): Verb => ({
  ...spec,
  execute: async (raw, title) => {
    checkArgs(raw, spec.args, title, spec.repeats ?? false)
    await runCommand(defineCommand({ args: spec.args, run: ({ args }) => run(args, args._) }), { rawArgs: [...raw] })
  },
})
