import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { powerdns } from '../../../plugins/index.ts'
import { challengeValue, describeDnsProvider, freePort, openDns, tempRoot } from '../../kit/index.ts'
import { powerdnsPath, sqlitePath } from '../../kit/programs.ts'
import { domains } from './records.ts'

const key = 'powerdns-not-to-be-seen'
const schema = '/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql'

/** A PowerDNS with SQLite, in a folder and on loopback ports of its own. */
const startPowerdns = async (root: string) => {
  const folder = join(root, 'powerdns')
  mkdirSync(folder)
  const database = join(folder, 'zones.db')
  const made = spawnSync(sqlitePath(), [database], { input: readFileSync(schema), encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`sqlite3 did not make the database: ${made.stderr}`)
  const [port, web] = [await freePort(), await freePort()]
  const args = {
    'config-dir': folder,
    launch: 'gsqlite3',
    'gsqlite3-database': database,
    'local-address': '127.0.0.1',
    'local-port': port,
    'socket-dir': folder,
    webserver: 'yes',
    'webserver-address': '127.0.0.1',
    'webserver-port': web,
    api: 'yes',
    'api-key': key,
    'security-poll-suffix': '',
    daemon: 'no',
    guardian: 'no',
  }
  const child = spawn(
    powerdnsPath(),
    Object.entries(args).map(([name, value]) => `--${name}=${value}`),
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      said = (said + chunk).slice(-4_000)
    })
  const gone = Promise.race([once(child, 'exit'), once(child, 'error')])
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const api = `http://127.0.0.1:${web}`
  const post = (name: string) =>
    fetch(`${api}/api/v1/servers/localhost/zones`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'application/json' },
      body: JSON.stringify({ name: `${name}.`, kind: 'Native', nameservers: [`ns.${name}.`] }),
    })
  for (const until = Date.now() + 20_000; !(await post('example.org').catch(() => undefined))?.ok; await after(50))
    if (Date.now() > until || child.exitCode !== null) throw new Error(`PowerDNS does not answer: ${said}`)
  await post('example.com')
  return {
    host: '127.0.0.1',
    port,
    api,
    propagation: { servers: [`127.0.0.1:${port}`], seconds: 20 },
    close: async () => {
      process.off('exit', kill)
      kill()
      await gone
    },
  }
}
const keyIn = (root: string) => {
  writeFileSync(join(root, 'key'), key)
  return { file: join(root, 'key') }
}

describeDnsProvider('dns-provider/powerdns', {
  async open(root) {
    const server = await startPowerdns(root)
    const options = { api: server.api, key: keyIn(root), zones: domains, propagation: server.propagation }
    return { plugins: () => [powerdns(options)], server, domains, close: server.close }
  },
  secrets: [key],
})

describe('dns-provider/powerdns', () => {
  it('says DNS_DENIED for a wrong key, and DNS_UNAVAILABLE for a zone that is not there or a server that is gone', async () => {
    const root = tempRoot('powerdns')
    onTestFinished(root.remove)
    const server = await startPowerdns(root.path)
    onTestFinished(server.close)
    process.env.GATEWAY_TEST_POWERDNS = 'wrong-4716'
    const usual = { api: server.api, zones: ['example.org', 'example.net'], propagation: server.propagation }
    const wrong = await openDns([powerdns({ ...usual, key: { env: 'GATEWAY_TEST_POWERDNS' } })], join(root.path, 'a'))
    onTestFinished(wrong.gateway.close)
    const right = await openDns([powerdns({ ...usual, key: keyIn(root.path) })], join(root.path, 'b'))
    onTestFinished(right.gateway.close)
    const present = (of: typeof right, domain: string) =>
      of.dns.present(`_acme-challenge.${domain}`, challengeValue(), AbortSignal.timeout(20_000))
    await expect(present(wrong, 'gw.example.org')).rejects.toMatchObject({
      code: 'DNS_DENIED',
      message: expect.not.stringContaining('wrong-4716'),
    })
    await expect(present(right, 'example.net')).rejects.toMatchObject({
      code: 'DNS_UNAVAILABLE',
      message: expect.stringContaining('no zone'),
    })
    await present(right, 'example.org')
    await server.close()
    await expect(present(right, 'example.org')).rejects.toMatchObject({
      code: 'DNS_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })
})
