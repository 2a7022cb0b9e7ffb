import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

/** What a process in a network namespace of its own says of addresses that come and go there. */
const program = `
  import { execFileSync } from 'node:child_process'
  import { isOwnAddress } from ${JSON.stringify(new URL('../../lib/own-address.ts', import.meta.url).href)}
  import { parseIp } from ${JSON.stringify(new URL('../../lib/ip.ts', import.meta.url).href)}
  const ip = (...args) => execFileSync('ip', args)
  const own = async (...texts) => Promise.all(texts.map((text) => isOwnAddress(parseIp(text))))
  ip('link', 'set', 'lo', 'up')
  const out = { before: await own('10.7.7.7', 'fd77::7') }
  ip('link', 'add', 'late', 'type', 'veth', 'peer', 'name', 'other')
  ip('addr', 'add', '10.7.7.7/24', 'dev', 'late')
  ip('addr', 'add', 'fd77::7/64', 'dev', 'late', 'nodad')
  ip('link', 'set', 'late', 'up')
  ip('link', 'set', 'other', 'up')
  out.there = await own('10.7.7.7', 'fd77::7', '10.7.7.8', 'fd77::8')
  ip('link', 'add', 'bridge', 'type', 'bridge')
  ip('addr', 'add', '10.8.8.8/24', 'dev', 'bridge')
  ip('link', 'set', 'bridge', 'up')
  out.noCarrier = await own('10.8.8.8')
  ip('route', 'add', 'local', '10.9.0.0/16', 'dev', 'lo')
  out.anyAddress = await own('10.9.1.2', '10.10.1.2')
  ip('link', 'del', 'late')
  out.gone = await own('10.7.7.7')
  console.log(JSON.stringify(out))
`

it('knows the addresses of this machine as they are now, those of interfaces without a carrier and of local routes too', () => {
  const args = ['--net', process.execPath, '--input-type=module', '--eval', program]
  expect(JSON.parse(execFileSync('unshare', args, { encoding: 'utf8' }))).toEqual({
    before: [false, false],
    there: [true, true, false, false],
    noCarrier: [true],
    anyAddress: [true, false],
    gone: [false],
  })
})
