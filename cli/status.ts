import { shown } from '../lib/shown.ts'
import type { Status } from './answers.ts'
import { connect } from './client.ts'
import { connectionFlags } from './connection.ts'
import { print, printJson, printTable, span } from './output.ts'
import { verb } from './verb.ts'

export default verb({
  about: 'Exits with 5 while the gateway is not ready.',
  args: connectionFlags,
  examples: ['gateway status', 'gateway status --json'],
  run: async (args) => {
    const status = await connect(args).ask<Status>('/v1/status')
    if (!status.ready) process.exitCode = 5
    if (args.json) return printJson(status)
    const { ready, version, root, started, routes, pending, plugins, certificates } = status
    const busy = pending > 0 ? `, ${pending} operations pending` : ''
    print(
      `zos-gateway ${version} ${ready ? 'is ready' : 'is NOT ready'}: ${routes} ${routes === 1 ? 'workload' : 'workloads'}${busy}`,
      `up for ${span(Date.now() - Date.parse(started))}, root ${root}`,
      '',
    )
    const rows = plugins.map(({ name, state, reason, facts = {} }) => {
      const details = [...(reason ? [reason] : []), ...Object.entries(facts).map(([key, value]) => `${key} ${value}`)]
      return [name, state, details.join(', ')]
    })
    await printTable(['PLUGIN', 'STATE', ''], rows, 'no plugins')
    const { failed, failing } = certificates
    if (failed === 0) return
    print('', `${failed} ${failed === 1 ? 'certificate' : 'certificates'} could not be obtained or renewed:`)
    for (const { names, code, error, fix } of failing) print(`  ${names.join(' ')}: ${code}: ${shown(error)}`, `    ${fix}`)
  },
})
