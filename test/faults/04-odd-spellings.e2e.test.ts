import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { execa } from 'execa'
import { expect } from 'vitest'
import { backends } from '../../plugins/index.ts'
import { tempRoot } from '../kit/index.ts'
import { enginesWith } from './engines.ts'
import { fault, faultOn } from './fault.ts'
import { oldRoute } from './old-route.ts'
import { told } from './refused.ts'

/** Hosts that some parsers take for an address, and Go takes for none. */
const hosts = [
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '017700000001',
  '0177.0.0.1',
  '127.1',
  '127.0.1',
  '127.000.000.001',
  '127.0.0.1.',
  '１２７.0.0.1',
  '127。0。0。1',
  '127.0.0.1%00',
  '127.0.0.256',
  '127.0.0.-1',
  ' 127.0.0.1',
  '[::1',
  '[fe80::1%25eth0]',
  '[::ffff:127.0.0.1.]',
  '[::ffff:0177.0.0.1]',
  '[1:2:3:4:5:6:7]',
  '[1::2::3]',
  'localhost',
  'a.test',
  '',
]
/** What may stand behind or before an address in a URL, and not in a backend. */
const refusedAround = (ip: string) => [
  `http://user@${ip}`,
  `http://user:secret@${ip}`,
  `http://${ip}/path`,
  `http://${ip}/?`,
  `http://${ip}?query`,
  `http://${ip}#fragment`,
  `http://${ip}:0`,
  `http://${ip}:65536`,
  `http://${ip}:+80`,
  `http://${ip}:`,
  `http://${ip}:8 0`,
  `http:/${ip}`,
  `http:${ip}`,
  `ftp://${ip}`,
  `javascript://${ip}`,
  `http://${ip}\n`,
  `http://${ip}\0`,
  `http://${ip}\\@8.8.8.8`,
]

faultOn(4, 'a backend in an odd spelling is refused, whoever would take it, and changes nothing', enginesWith, async (open) => {
  const world = await open(backends({ allow: ['0.0.0.0/0', '::/0'] }))()
  await using _old = await oldRoute(world)
  const texts = [
    ...hosts.flatMap((host) => [`http://${host}`, `http://${host}:80`]),
    ...refusedAround('127.0.0.1'),
    ...refusedAround('[::1]'),
  ]
  const through = [
    ...hosts.map((host) => `${host}:443`),
    '127.0.0.1',
    '127.0.0.1:0',
    '127.0.0.1:65536',
    '127.0.0.1:+443',
    'user@127.0.0.1:443',
  ]
  for (const [list, passthrough] of [
    [texts, false],
    [through, true],
  ] as const)
    for (const text of list) {
      const said = await told(world, { do: 'set-fqdn', id: '1-1-a', fqdn: 'a.test', backends: [text], passthrough })
      expect([text, said]).toEqual([text, expect.stringMatching(/^INVALID_BACKEND: /)])
    }
  expect([...world.gateway.routes.all()].map(({ id }) => id)).toEqual(['900-1-old'])
})

fault(4, 'Go takes none of these hosts for an address either', async () => {
  await using root = { ...tempRoot('oracle'), [Symbol.asyncDispose]: () => Promise.resolve() }
  const oracle = join(root.path, 'oracle')
  await promisify(execFile)('go', ['build', '-o', oracle, '.'], { cwd: fileURLToPath(new URL('../oracle', import.meta.url)) })
  const bare = hosts.map((host) => host.replace(/^\[(.*)\]$/, '$1'))
  const { stdout } = await execa(oracle, { input: bare.map((text) => JSON.stringify(text)).join('\n') })
  await root.remove()
  const verdicts = stdout.split('\n').map((line) => JSON.parse(line) as { ip: string })
  expect(bare.filter((_, at) => verdicts[at]?.ip !== '')).toEqual([])
})
