import { connect } from './client.ts'
import { connectionFlags } from './connection.ts'
import { print, printJson } from './output.ts'
import { verb } from './verb.ts'
import { idWord, pathOf } from './wanted.ts'

export default verb({
  about: 'Returns when no new request is taken; open connections drain behind it. An id that is not there is no error.',
  args: { id: idWord, ...connectionFlags },
  examples: ['gateway delete 40-1976-shop'],
  run: async (args) => {
    await connect(args).ask(pathOf(args.id), { method: 'DELETE' })
    if (args.json) printJson({ id: args.id, deleted: true })
    else print(`${args.id} is not served`)
  },
})
