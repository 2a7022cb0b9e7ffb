import type { Verb } from './verb.ts'

/** Every verb with its line in `gateway --help`; a verb's own file is imported only when it is asked for. */
export const verbs: Readonly<
  Record<string, { readonly summary: string; readonly load: () => Promise<{ readonly default: Verb }> }>
> = {
  run: { summary: 'Run the gateway (what happens without a command, too)', load: () => import('./serve.ts') },
  init: { summary: 'Write a config file to change', load: () => import('./init.ts') },
}
