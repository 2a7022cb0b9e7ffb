import type { Certificates } from './answers.ts'
import { connect } from './client.ts'
import { connectionFlags } from './connection.ts'
import { print, printJson, printTable, span } from './output.ts'
import { verb } from './verb.ts'

export default verb({
  args: { renew: { type: 'string', valueHint: 'id', description: 'Obtain this certificate again now' }, ...connectionFlags },
  examples: ['gateway certs', 'gateway certs --renew local-1f2e3d4c5b6a7988'],
  run: async (args) => {
    const { ask } = connect(args)
    if (args.renew !== undefined) {
      await ask(`/v1/certificates/${encodeURIComponent(args.renew)}/renew`, { method: 'POST' })
      if (args.json) printJson({ id: args.renew, renewed: true })
      else print(`${args.renew} is renewed`)
      return
    }
    const { certificates } = await ask<Certificates>('/v1/certificates')
    if (args.json) return printJson(certificates)
    const rows = certificates.map(({ id, names, state, notAfter, next, error, users }) => {
      const ends = notAfter === undefined ? undefined : `in ${span(Date.parse(notAfter) - Date.now())}`
      const again = next === undefined ? undefined : `in ${span(Date.parse(next) - Date.now())}`
      return [id, names.join(' '), error === undefined ? state : `${state}: ${error}`, ends, again, users]
    })
    await printTable(['ID', 'NAMES', 'STATE', 'ENDS', 'NEXT TRY', 'WORKLOADS'], rows, 'no certificates')
  },
})
