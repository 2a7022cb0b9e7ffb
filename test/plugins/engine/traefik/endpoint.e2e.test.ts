import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { createAuthority } from '../../../kit/authority.ts'
import { freePort, tempRoot } from '../../../kit/index.ts'
import { traefikPath } from '../../../kit/programs.ts'
import { joinEndpoint, part, startProcess, token } from './endpoint-parts.ts'

const ending: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end()
})

/** A Traefik that gets all it serves from `endpoint`. */
const traefikFor = async (folder: string, endpoint: string) => {
  const secure = await freePort()
  const config = {
    global: { checkNewVersion: false, sendAnonymousUsage: false },
    entryPoints: {
      secure: { address: `127.0.0.1:${secure}`, asDefault: true, http: { tls: {} } },
    },
    providers: {
      providersThrottleDuration: '50ms',
      http: { endpoint, pollInterval: '50ms', pollTimeout: '20s', headers: { Authorization: `Bearer ${token}` } },
    },
  }
  const file = join(folder, 'traefik.yaml')
  writeFileSync(file, JSON.stringify(config))
  let child: ChildProcess | undefined
  let said = ''
  const end = async () => {
    const gone = child?.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
    child?.kill('SIGKILL')
    await gone
  }
  ending.push(end)
  return {
    secure,
    said: () => said,
    end,
    start: () => {
      child = spawn(traefikPath(), [`--configFile=${file}`], { stdio: ['ignore', 'pipe', 'pipe'] })
      const hear = (text: Buffer) => {
        said += text
      }
      child.stdout?.on('data', hear)
      child.stderr?.on('data', hear)
    },
  }
}

const statusOf = (port: number, host: string) =>
  new Promise<number>((done) => {
    const asked = request(
      { host: '127.0.0.1', port, headers: { host }, servername: host, agent: false, rejectUnauthorized: false },
      (answer) => {
        answer.resume()
        done(answer.statusCode ?? 0)
      },
    )
    asked.on('error', () => done(0)).end()
  })
const until = async (truth: () => Promise<boolean>, what: string) => {
  const end = performance.now() + 30_000
  while (!(await truth())) {
    if (performance.now() > end) throw new Error(`not in 30 s: ${what}`)
    await new Promise((done) => setTimeout(done, 20))
  }
}
const serves = (port: number, host: string, status = 200) =>
  until(async () => (await statusOf(port, host)) === status, `${host} answers ${status}`)

const stand = async () => {
  const root = tempRoot('endpoint-traefik')
  ending.push(root.remove)
  const backend = createServer((_, answer) => answer.end('served')).listen(0, '127.0.0.1')
  await once(backend, 'listening')
  ending.push(() => backend.close())
  const address = backend.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  const folder = join(root.path, 'run')
  const endpoint = { now: await startProcess(folder, { hold: 19_000 }) }
  ending.push(() => endpoint.now.end('SIGKILL'))
  const { client, until: facts } = await joinEndpoint(folder)
  ending.push(client.close)
  const traefik = await traefikFor(root.path, endpoint.now.url)
  return {
    client,
    facts,
    traefik,
    endpoint,
    folder,
    part: (id: string): readonly [string, string] => [id, part(id, `${id}.example.org`, url)],
  }
}

describe('Traefik, fed by the endpoint', () => {
  it('serves what is set, no longer what is removed, and nothing after the last', async () => {
    const { client, traefik, part } = await stand()
    await client.replace([part('one'), part('two')])
    traefik.start()
    await serves(traefik.secure, 'two.example.org')
    await client.apply([['one', null], part('three')])
    await serves(traefik.secure, 'three.example.org')
    expect(await statusOf(traefik.secure, 'one.example.org')).toBe(404)
    await client.replace([])
    await serves(traefik.secure, 'three.example.org', 404)
    await client.apply([part('one')])
    await serves(traefik.secure, 'one.example.org')
  })

  it('has every route after a restart of its own while no gateway runs, and while the endpoint was killed and came back', async () => {
    const { client, traefik, part, endpoint, folder } = await stand()
    await client.replace([part('one'), part('two')])
    await client.close()
    traefik.start()
    await serves(traefik.secure, 'one.example.org')
    await traefik.end()
    traefik.start()
    await serves(traefik.secure, 'two.example.org')
    await endpoint.now.end('SIGKILL')
    expect(await statusOf(traefik.secure, 'one.example.org')).toBe(200)
    await traefik.end()
    endpoint.now = await startProcess(folder)
    traefik.start()
    await serves(traefik.secure, 'one.example.org')
  })

  it('gets changes again after the endpoint was killed', async () => {
    const { client, traefik, part, endpoint, folder } = await stand()
    await client.replace([part('one')])
    traefik.start()
    await serves(traefik.secure, 'one.example.org')
    await endpoint.now.end('SIGKILL')
    const applied = client.apply([part('two'), ['one', null]])
    endpoint.now = await startProcess(folder, { hold: 19_000 })
    await applied
    await serves(traefik.secure, 'two.example.org')
    expect(await statusOf(traefik.secure, 'one.example.org')).toBe(404)
  })

  it('serves certificates that come inline', async () => {
    const { client, traefik, part } = await stand()
    const { chain, key } = await (await createAuthority()).issue(['one.example.org'])
    await client.replace([
      part('one'),
      ['certificate.a', JSON.stringify({ tls: { certificates: [{ certFile: chain, keyFile: key }] } })],
    ])
    traefik.start()
    await serves(traefik.secure, 'one.example.org')
    const socket = connect({ port: traefik.secure, host: '127.0.0.1', servername: 'one.example.org', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    expect(socket.getPeerCertificate().subjectaltname).toBe('DNS:one.example.org')
    socket.destroy()
  })

  it('goes on taking the rest where a part is not one for it', async () => {
    const { client, traefik, part } = await stand()
    await client.replace([part('one')])
    traefik.start()
    await serves(traefik.secure, 'one.example.org')
    const router = (rule: string) => JSON.stringify({ http: { routers: { bad: { rule, service: 'one' } } } })
    const refused = await client.apply([
      ['separator', router('Host(`a`)\u2028')],
      ['escape', router('Host(`a`)\x85')],
      ['unprintable', router('\x00')],
      part('two'),
    ])
    expect([...refused.keys()]).toEqual(['separator', 'escape', 'unprintable'])
    await serves(traefik.secure, 'two.example.org')
    // A rule that is none is that router's own affair.
    await client.apply([['rule', router('Host(`a` "')], part('three')])
    await serves(traefik.secure, 'three.example.org')
    expect(traefik.said()).not.toContain('cannot decode')
  })

  it('takes 500 changes within a second in a few rebuilds', async () => {
    const { client, traefik, part, facts } = await stand()
    await client.replace(Array.from({ length: 1_000 }, (_, n) => part(`w${n}`)))
    traefik.start()
    await serves(traefik.secure, 'w999.example.org')
    const { bodies } = await facts(({ revision, handed }) => revision === handed)
    await Promise.all(Array.from({ length: 500 }, (_, n) => client.apply([part(`x${n}`)])))
    for (const n of [0, 250, 499]) await serves(traefik.secure, `x${n}.example.org`)
    expect((await facts(({ revision, handed }) => revision === handed)).bodies - bodies).toBeLessThanOrEqual(4)
  })
})
