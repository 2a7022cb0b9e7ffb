import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { asGatewayError, createGateway, type Flags, type Plugin, parseOperation, type RunningGateway } from '../../core/index.ts'
import config from '../../gateway.config.ts'
import { createClient } from '../../lib/zbus/index.ts'
import { files } from '../../plugins/index.ts'
import { createAuthority } from '../kit/authority.ts'
import { type HttpBackend, httpBackend } from '../kit/backends/index.ts'
import { freePort } from '../kit/port.ts'
import { type Redis, startRedis } from '../kit/redis.ts'
import { type Root, tempRoot } from '../kit/root.ts'

/** What the shipped config gives, with a certificate of the operator's in front of the local CA; each as a question that is answered `ok` or with what one gets instead. */
const features = {
  'a name that was set before is served': ({ https }) => get('old.gw.localhost', https),
  'a name is served': async ({ gateway, https, plain }) => {
    await set(gateway, { do: 'set-name', id: '1-1-name', name: 'fresh', backends: [plain.url] })
    return get('fresh.gw.localhost', https)
  },
  'a domain is served': async ({ gateway, https, plain }) => {
    await set(gateway, { do: 'set-fqdn', id: '1-1-fqdn', fqdn: 'shop.localhost', backends: [plain.url] })
    return get('shop.localhost', https)
  },
  'a certificate of the operator is shown': async ({ gateway, https, plain }) => {
    await set(gateway, { do: 'set-fqdn', id: '1-1-own', fqdn: 'own.localhost', backends: [plain.url] })
    return get('own.localhost', https, 'test kit root')
  },
  'TLS is passed through': async ({ gateway, https, secret }) => {
    await set(gateway, { do: 'set-name', id: '1-1-pass', name: 'pass', backends: [secret.url], passthrough: true })
    return get('pass.gw.localhost', https)
  },
  'a link-local backend is refused': ({ gateway }) =>
    refusal(gateway, { do: 'set-name', id: '1-1-bad', name: 'bad', backends: ['http://169.254.169.254'] }, 'BACKEND_FORBIDDEN'),
  'a domain of elsewhere is refused': ({ gateway, plain }) =>
    refusal(gateway, { do: 'set-fqdn', id: '1-1-else', fqdn: 'elsewhere.invalid', backends: [plain.url] }, 'DNS_MISMATCH'),
  'a tenant that sends far too much is refused': async ({ gateway }) => {
    const asked = Array.from({ length: 3_000 }, (_, n) => gateway.dispatch(parseOperation({ do: 'delete', id: `9-${n}-loud` })))
    void Promise.allSettled(asked)
    return Promise.all(asked).then(
      () => 'accepted',
      (error) => (asGatewayError(error).code === 'LIMIT' ? 'ok' : asGatewayError(error).code),
    )
  },
  'traffic is counted': async ({ gateway }) => ((await gateway.dispatch({ do: 'metrics' })).size > 0 ? 'ok' : 'nothing'),
  'the HTTP API answers': async ({ gateway }) => {
    const answer = await gateway.fetch(new Request('http://localhost/healthz'))
    return answer.ok ? 'ok' : (/[A-Z_]{5,}/.exec(await answer.text())?.[0] ?? 'no code')
  },
  'a name can be looked into': async ({ gateway }) => {
    const answer = await gateway.fetch(new Request('http://localhost/v1/dns-records'))
    return answer.ok ? 'ok' : (/[A-Z_]{5,}/.exec(await answer.text())?.[0] ?? 'no code')
  },
  'zbus answers': async ({ redis }) => {
    const client = createClient({ broker: redis.broker.unix })
    const called = client.call('gateway', { name: 'gateway', version: '0.0.1' }, 'DeleteNamedProxy', ['1-1-none'], {
      timeout: 5_000,
    })
    return called
      .then(
        () => 'ok',
        ({ name }: Error) => name,
      )
      .finally(() => client.close())
  },
} satisfies Record<string, (running: Running) => Promise<string>>
type Feature = keyof typeof features | 'what was set survives a restart'

/** For each line of the config what is no longer `ok` without it. */
const without: Record<string, Partial<Record<Feature, string>>> = {
  staticNode: {
    'a name is served': 'NO_DOMAIN',
    'a domain is served': 'NO_PUBLIC_CONFIG',
    'a certificate of the operator is shown': 'NO_PUBLIC_CONFIG',
    'TLS is passed through': 'NO_DOMAIN',
    'a link-local backend is refused': 'NO_DOMAIN',
    'a domain of elsewhere is refused': 'NO_PUBLIC_CONFIG',
    'a name can be looked into': 'NO_PUBLIC_CONFIG',
  },
  fqdnProxy: {
    'a domain is served': 'FQDN_DISABLED',
    'a certificate of the operator is shown': 'FQDN_DISABLED',
    'a domain of elsewhere is refused': 'FQDN_DISABLED',
  },
  nameProxy: {
    'a name is served': 'NAME_DISABLED',
    'TLS is passed through': 'NAME_DISABLED',
    'a link-local backend is refused': 'NAME_DISABLED',
  },
  tlsPassthrough: { 'TLS is passed through': 'PASSTHROUGH_DISABLED' },
  files: { 'a certificate of the operator is shown': 'another certificate' },
  localCa: {
    'a name that was set before is served': '404',
    'a name is served': 'NO_RESOLVER',
    'a domain is served': 'NO_RESOLVER',
  },
  backends: { 'a link-local backend is refused': 'accepted' },
  pointsHere: { 'a domain of elsewhere is refused': 'accepted' },
  limits: { 'a tenant that sends far too much is refused': 'accepted' },
  level: {
    'a name that was set before is served': 'EPROTO',
    'a name is served': 'STORAGE',
    'a domain is served': 'STORAGE',
    'a certificate of the operator is shown': 'STORAGE',
    'TLS is passed through': 'STORAGE',
    'traffic is counted': 'nothing',
  },
  embedded: {
    'a name that was set before is served': 'ECONNREFUSED',
    'a name is served': 'ENGINE_UNAVAILABLE',
    'a domain is served': 'ENGINE_UNAVAILABLE',
    'a certificate of the operator is shown': 'ENGINE_UNAVAILABLE',
    'TLS is passed through': 'ENGINE_UNAVAILABLE',
    'traffic is counted': 'nothing',
  },
  traffic: { 'traffic is counted': 'METRICS_DISABLED' },
  doctor: { 'a name can be looked into': 'DOCTOR_DISABLED' },
  zbus: { 'zbus answers': 'TimeoutError' },
  httpApi: { 'the HTTP API answers': 'HTTP_API_DISABLED', 'a name can be looked into': 'HTTP_API_DISABLED' },
}

interface Running {
  readonly gateway: RunningGateway
  readonly https: number
  readonly plain: HttpBackend
  readonly secret: HttpBackend
  readonly redis: Redis
}
interface Parts extends Omit<Running, 'gateway' | 'https'> {
  /** Holds the operator's certificate. */
  readonly folder: Root
}

/** The factories of the config's lines, in order, and the one that is put in. */
const shipped = [
  ...readFileSync(new URL('../../gateway.config.ts', import.meta.url), 'utf8').matchAll(/^ {4}(\w+)\(.*\),/gm),
].map(([, name = '']) => name)
const place = shipped.indexOf('localCa')
const lines = shipped.toSpliced(place, 0, 'files')
const parts: Parts[] = []

beforeAll(async () => {
  const authority = await createAuthority()
  const folder = tempRoot('own')
  const own = await authority.issue(['own.localhost'])
  writeFileSync(join(folder.path, 'chain.pem'), own.chain)
  writeFileSync(join(folder.path, 'key.pem'), own.key)
  parts.push({
    folder,
    plain: await httpBackend('here'),
    secret: await httpBackend('here', { tls: await authority.issue(['pass.gw.localhost']) }),
    redis: await startRedis(),
  })
})
afterAll(async () => {
  for (const { plain, secret, redis, folder } of parts)
    await Promise.all([plain.close(), secret.close(), redis.close(), folder.remove()])
})

test('this test knows what each line of the config is for', () => {
  expect(lines).toEqual(Object.keys(without))
})

test.for(['no line', ...lines])('with %s taken out of the config only its feature is gone', async (line) => {
  const [part] = parts
  if (!part) throw new Error('nothing to test with')
  const root = tempRoot('take-out')
  const whole = await start(part, (plugins) => plugins, root.path)
  await set(whole.gateway, { do: 'set-name', id: '1-1-old', name: 'old', backends: [part.plain.url] })
  await whole.gateway.close()
  const rest = (plugins: readonly Plugin[]) => plugins.filter((_, index) => lines[index] !== line)

  const running = await start(part, rest, root.path)
  const found: Record<string, string> = {}
  for (const [feature, ask] of Object.entries(features)) {
    found[feature] = await ask(running).catch((error) => asGatewayError(error).code)
  }
  const before = running.gateway.routes.size
  await running.gateway.close()
  const again = await start(part, rest, root.path)
  const after = again.gateway.routes.size
  await again.gateway.close()
  found['what was set survives a restart'] = after === before ? 'ok' : `${after} of ${before} routes`

  const ok = Object.fromEntries(Object.keys(found).map((feature) => [feature, 'ok']))
  expect(found).toEqual({ ...ok, ...without[line] })
  await root.remove()
})

const start = async (part: Parts, change: (plugins: readonly Plugin[]) => readonly Plugin[], root: string): Promise<Running> => {
  const [http, https, api] = [await freePort(), await freePort(), await freePort()]
  const flags: Flags = { http, https, api, broker: part.redis.broker.unix }
  const own = files({ certificate: join(part.folder.path, 'chain.pem'), key: join(part.folder.path, 'key.pem') })
  const plugins = config(flags).plugins.toSpliced(place, 0, own)
  const gateway = await createGateway({ plugins: change(plugins) }, { root })
  return { ...part, gateway, https }
}

const set = async (gateway: RunningGateway, wanted: object): Promise<void> => {
  const op = parseOperation({ passthrough: false, ...wanted })
  await gateway.dispatch(op)
}

const refusal = async (gateway: RunningGateway, wanted: object, code: string): Promise<string> => {
  const failed = await set(gateway, wanted).catch((error) => asGatewayError(error).code)
  return failed === undefined ? 'accepted' : failed === code ? 'ok' : failed
}

/** What a client that trusts anyone gets: `ok` where a backend answers, under a certificate of `issuer` where that is given. */
const get = (host: string, port: number, issuer?: string): Promise<string> =>
  new Promise((resolve) => {
    const asked = request({
      host: '127.0.0.1',
      port,
      servername: host,
      headers: { host },
      rejectUnauthorized: false,
      agent: false,
    })
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    asked.on('response', (response) => {
      const { socket } = response
      const by = socket instanceof TLSSocket ? socket.getPeerCertificate().issuer.CN : undefined
      if (issuer !== undefined && by !== issuer) return resolve('another certificate')
      let body = ''
      response.setEncoding('utf8').on('data', (text) => {
        body += text
      })
      response.on('end', () => resolve(body === 'here' ? 'ok' : String(response.statusCode)))
    })
    asked.end()
  })
