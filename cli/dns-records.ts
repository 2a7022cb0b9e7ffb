import type { DnsRecords } from './answers.ts'
import { connect } from './client.ts'
import { connectionFlags } from './connection.ts'
import { print, printJson } from './output.ts'
import { verb } from './verb.ts'

export default verb({
  about: 'They are lines of a zone file with whole names, to be put into the zone of the domain.',
  args: connectionFlags,
  examples: ['gateway dns-records', 'gateway dns-records >> db.grid.tf'],
  run: async (args) => {
    const answer = await connect(args).ask<DnsRecords>('/v1/dns-records')
    if (args.json) return printJson(answer)
    print(...answer.records)
  },
})
