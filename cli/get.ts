import type { Workload } from './answers.ts'
import { connect } from './client.ts'
import { connectionFlags } from './connection.ts'
import { printJson, printTable } from './output.ts'
import { verb } from './verb.ts'
import { idWord, pathOf } from './wanted.ts'

export default verb({
  args: { id: idWord, ...connectionFlags },
  examples: ['gateway get 40-1976-shop', 'gateway get 40-1976-shop --json'],
  run: async (args) => {
    const workload = await connect(args).ask<Workload>(pathOf(args.id))
    if (args.json) return printJson(workload)
    const { id, url, kind, tenant, backends, network, tls } = workload
    const certificate = tls.mode === 'passthrough' ? 'passthrough' : `${tls.resolver}: ${tls.names.join(', ')}`
    const rows = [
      ['id', id],
      ['url', url],
      ['kind', kind],
      ['tenant', tenant],
      ['backends', backends.join(', ')],
      ['tls', certificate],
    ]
    await printTable(['FIELD', 'VALUE'], network === undefined ? rows : [...rows, ['network', network]], '')
  },
})
