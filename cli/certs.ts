import { shown } from '../lib/shown.ts'
import type { Certificates } from './answers.ts'
import { connect } from './client.ts'
import { connectionFlags } from './connection.ts'
import { print, printJson, printTable, span } from './output.ts'
import { verb } from './verb.ts'

export default verb({
  args: {
    renew: { type: 'string', valueHint: 'id', description: 'Obtain this certificate again now' },
    revoke: {
      type: 'string',
      valueHint: 'id',
      description: 'Have the CA revoke this certificate, behind a new one where it is in use',
    },
    ...connectionFlags,
  },
  examples: ['gateway certs', 'gateway certs --renew local-1f2e3d4c5b6a7988'],
  run: async (args) => {
    const { ask } = connect(args)
    if (args.renew !== undefined) {
      await ask(`/v1/certificates/${encodeURIComponent(args.renew)}/renew`, { method: 'POST' })
      if (args.json) printJson({ id: args.renew, renewed: true })
      else print(`${args.renew} is renewed`)
      return
    }
    if (args.revoke !== undefined) {
      await ask(`/v1/certificates/${encodeURIComponent(args.revoke)}/revoke`, { method: 'POST' })
      if (args.json) printJson({ id: args.revoke, revoked: true })
      else print(`${args.revoke} is revoked`)
      return
    }
    const { certificates } = await ask<Certificates>('/v1/certificates')
    if (args.json) return printJson(certificates)
    const rows = certificates.map(({ id, names, state, notAfter, next, why, meanwhile }) => {
      const ends = notAfter === undefined ? undefined : `in ${span(Date.parse(notAfter) - Date.now())}`
      const again = next === undefined ? undefined : `in ${span(Date.parse(next) - Date.now())}`
      const shown = meanwhile === undefined ? state : `${state}, ${meanwhile} meanwhile`
      return [id, names.join(' '), shown, ends, again, why]
    })
    await printTable(['ID', 'NAMES', 'STATE', 'ENDS', 'NEXT', 'WHY'], rows, 'no certificates')
    // Sentences do not fit a table: each certificate that failed last has its own lines below.
    for (const { id, names, error, code, fix } of certificates)
      if (error !== undefined) print('', `${names.join(' ')} (${id})`, `  ${code}: ${shown(error)}`, `  ${fix}`)
  },
})
