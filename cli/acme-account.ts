import type { AcmeAccount, AcmeAccounts } from './answers.ts'
import { connect } from './client.ts'
import { connectionFlags } from './connection.ts'
import { print, printJson, printTable } from './output.ts'
import { verb } from './verb.ts'

export default verb({
  args: {
    new: {
      type: 'string',
      valueHint: 'directory',
      description: 'Make another account with the CA of this directory URL, in the place of one that it deactivated',
    },
    ...connectionFlags,
  },
  examples: ['gateway acme-account', 'gateway acme-account --new https://acme-v02.api.letsencrypt.org/directory'],
  run: async (args) => {
    const { ask } = connect(args)
    if (args.new !== undefined) {
      const made = await ask<AcmeAccount>('/v1/acme/accounts', { method: 'POST', body: { directory: args.new } })
      if (args.json) printJson(made)
      else print(`${made.directory} has the new account ${made.url}`)
      return
    }
    const { accounts } = await ask<AcmeAccounts>('/v1/acme/accounts')
    if (args.json) return printJson(accounts)
    const rows = accounts.map(({ directory, state, url }) => [directory, state, url])
    await printTable(['DIRECTORY', 'STATE', 'ACCOUNT'], rows, 'no CA in the config')
  },
})
