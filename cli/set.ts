import type { Applied } from './answers.ts'
import { connect } from './client.ts'
import { print, printJson } from './output.ts'
import { bodyOf, type Given, pathOf } from './wanted.ts'

/** Sets a workload and says where it is served. */
export const set = async (
  kind: 'fqdn' | 'name',
  host: string,
  backends: readonly string[],
  flags: Given & { readonly json?: boolean | undefined; readonly wait?: boolean | undefined },
): Promise<void> => {
  const path = `${pathOf(flags.id)}${flags.wait ? '?wait=live' : ''}`
  const answer = await connect(flags).ask<Applied>(path, { method: 'PUT', body: bodyOf(flags, kind, host, backends) })
  if (flags.json) return printJson(answer)
  const state = answer.live ? `live after ${Date.parse(answer.live) - Date.parse(answer.applied)} ms` : 'applied'
  print(`${answer.url} -> ${answer.backends.join(', ')} (${state})`)
}
