import { shown } from '../lib/shown.ts'
import type { Examined } from './answers.ts'
import { connect } from './client.ts'
import { connectionFlags } from './connection.ts'
import { print, printJson } from './output.ts'
import { verb } from './verb.ts'

export default verb({
  about:
    'It looks from the gateway at addresses, CNAME, delegation, CAA, what answers for _acme-challenge, ports 80 and 443,\n' +
    'and what is left of the CA’s limits, and says what to add to the zone.\n' +
    'Exits with 2 where something is wrong, with 5 where nobody answered who would know.',
  args: {
    name: { type: 'positional', required: true, description: "Host name, or one label under the gateway's domain" },
    ...connectionFlags,
  },
  examples: ['gateway doctor shop.example.org', 'gateway doctor shop --json'],
  run: async (args) => {
    const examined = await connect(args).ask<Examined>(`/v1/doctor/${encodeURIComponent(args.name)}`)
    process.exitCode = exitOf(examined)
    if (args.json) return printJson(examined)
    print(examined.host, ...examined.findings.flatMap(describe))
  },
})

const exitOf = ({ findings }: Examined): number => {
  const has = (state: string) => findings.some((finding) => finding.state === state)
  return has('bad') ? 2 : has('unknown') ? 5 : 0
}

const describe = ({ check, state, seen, fix }: Examined['findings'][number]): readonly string[] => [
  `  ${marks[state]} ${check.padEnd(11)} ${shown(seen)}`,
  ...(fix === undefined ? [] : [`    ${' '.repeat(11)} -> ${shown(fix)}`]),
]
const marks = { ok: 'ok  ', warn: 'warn', bad: 'BAD ', unknown: '?   ' }
