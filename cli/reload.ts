import type { ReloadReport } from './answers.ts'
import { connect } from './client.ts'
import { connectionFlags } from './connection.ts'
import { print, printJson } from './output.ts'
import { verb } from './verb.ts'

export default verb({
  about: 'A config that is wrong is refused, and the running one stays. No route is dropped either way.',
  args: connectionFlags,
  examples: ['gateway reload'],
  run: async (args) => {
    const report = await connect(args).ask<ReloadReport>('/v1/reload', { method: 'POST' })
    if (args.json) return printJson(report)
    const { kept, replaced, added, removed } = report
    const changes = Object.entries({ replaced, added, removed }).filter(([, names]) => names.length > 0)
    print(...changes.map(([what, names]) => `${what}: ${names.join(', ')}`), `${kept.length} plugins run on unchanged`)
  },
})
