import type { Workload, Workloads } from './answers.ts'
import { connect } from './client.ts'
import { connectionFlags } from './connection.ts'
import { printJson, printTable } from './output.ts'
import { verb } from './verb.ts'

export default verb({
  args: {
    tenant: { type: 'string', valueHint: 'twin', description: 'Only of this tenant' },
    host: { type: 'string', valueHint: 'host', description: 'Only the one that serves this host' },
    kind: { type: 'enum', options: ['fqdn', 'name'], valueHint: 'fqdn|name', description: 'Only of this kind' },
    passthrough: { type: 'boolean', description: 'Only those whose backend ends TLS' },
    ...connectionFlags,
  },
  examples: ['gateway list', 'gateway list --tenant 40 --json'],
  run: async (args) => {
    const { ask } = connect(args)
    const query = new URLSearchParams({ limit: '1000' })
    for (const key of ['tenant', 'host', 'kind'] as const) if (args[key] !== undefined) query.set(key, args[key])
    if (args.passthrough) query.set('passthrough', 'true')
    const all: Workload[] = []
    for (let more = true; more; ) {
      const { workloads, next } = await ask<Workloads>(`/v1/workloads?${query}`)
      all.push(...workloads)
      more = next !== undefined
      if (next !== undefined) query.set('after', next)
    }
    if (args.json) return printJson(all)
    const rows = all.map(({ id, url, backends, passthrough, certificate }) => [
      id,
      url,
      backends.join(' '),
      passthrough ? 'passthrough' : tlsOf(certificate),
    ])
    await printTable(['ID', 'URL', 'BACKENDS', 'TLS'], rows, 'no workloads')
  },
})

/** A certificate that is in use and could not be renewed is told too. */
const tlsOf = (certificate: Workload['certificate']): string => {
  if (!certificate || (certificate.state === 'ready' && certificate.code === undefined)) return 'terminated'
  const { state, code } = certificate
  return `certificate ${state}${code === undefined ? '' : `: ${code}`}`
}
