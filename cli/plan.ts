import { GatewayError, refused } from '../core/errors.ts'
import type { Plan } from './answers.ts'
import { connect } from './client.ts'
import { connectionFlags } from './connection.ts'
import { print, printJson } from './output.ts'
import { verb } from './verb.ts'
import { backendWord, bodyOf, idWord, pathOf, wantedFlags } from './wanted.ts'

export default verb({
  about: 'It takes what set-fqdn and set-name take, and exits as they would.',
  args: {
    set: { type: 'positional', required: true, description: 'set-fqdn or set-name' },
    id: idWord,
    host: { type: 'positional', required: true, description: 'Host name, or one label for set-name' },
    backend: backendWord,
    ...wantedFlags,
    ...connectionFlags,
  },
  repeats: true,
  examples: ['gateway plan set-name 40-1976-shop shop http://10.20.2.5:9000'],
  run: async (args, [, , , ...backends]) => {
    const kind = kindOf(args.set)
    const plan = await connect(args).ask<Plan>(`${pathOf(args.id)}?plan`, {
      method: 'PUT',
      body: bodyOf(args, kind, args.host, backends),
    })
    const [problem, ...more] = plan.problems
    if (args.json) printJson(plan)
    if (problem) throw refused([problem, ...more])
    if (!args.json) print(...describe(plan))
  },
})

const kindOf = (word: string): 'fqdn' | 'name' => {
  if (word === 'set-fqdn') return 'fqdn'
  if (word === 'set-name') return 'name'
  throw new GatewayError('BAD_REQUEST', `there is no plan of ${JSON.stringify(word)}`, 'plan set-fqdn or set-name')
}

const describe = ({ route, current }: Plan): string[] => {
  if (!route) return ['nothing would be done']
  const line = (of: typeof route) => `${of.url} -> ${of.backends.join(', ')} (${tlsOf(of)})`
  if (!current) return [`would serve ${line(route)}`]
  return line(route) === line(current)
    ? [`serves ${line(current)}; nothing would change`]
    : [`serves ${line(current)}`, `would serve ${line(route)}`]
}
const tlsOf = ({ tls }: NonNullable<Plan['route']>): string =>
  tls.mode === 'passthrough' ? 'TLS at the backend' : `certificate by ${tls.resolver} for ${tls.names.join(', ')}`
