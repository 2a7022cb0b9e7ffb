import { GatewayError } from '../core/errors.ts'
import type { Metrics } from './answers.ts'
import { connect } from './client.ts'
import { connectionFlags } from './connection.ts'
import { bytes, printJson, printTable } from './output.ts'
import { verb } from './verb.ts'

export default verb({
  about: 'Request is what clients sent, response what they got. Sums never go back, over restarts too.',
  args: { id: { type: 'positional', required: false, description: 'Only of this workload' }, ...connectionFlags },
  examples: ['gateway metrics', 'gateway metrics 40-1976-shop --json'],
  run: async (args) => {
    const { workloads } = await connect(args).ask<Metrics>('/v1/metrics')
    const rows = Object.entries(workloads).filter(([id]) => args.id === undefined || id === args.id)
    if (args.id !== undefined && rows.length === 0)
      throw new GatewayError(
        'NOT_FOUND',
        `nothing is counted for ${args.id}`,
        'it had no traffic yet, or is not there: see `gateway list`',
      )
    if (args.json) return printJson({ workloads: Object.fromEntries(rows) })
    const cells = rows.map(([id, { request, response }]) => [id, bytes(request), bytes(response)])
    await printTable(['ID', 'REQUEST', 'RESPONSE'], cells, 'no traffic yet')
  },
})
