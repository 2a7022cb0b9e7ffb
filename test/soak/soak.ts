import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gatewayProcess } from '../cli/gateway-process.ts'
import { createAuthority, echoWebSocket, freePort, httpBackend, startRedis, tempRoot } from '../kit/index.ts'
import { fill } from './fill.ts'
import { type Line, lines, type Sample } from './flat.ts'
import { type Counts, traffic } from './traffic.ts'

export interface Soaked extends Counts {
  readonly samples: readonly Sample[]
  readonly lines: readonly Line[]
}

export interface Options {
  readonly seconds: number
  /** Seconds between two samples. */
  readonly every: number
  /** Whether what the gateway keeps up to a number is full from the beginning, without which nothing is said about its memory. */
  readonly filled: boolean
  readonly say?: (line: string) => void
}

/** A gateway with the shipped plugins, under churn and traffic of every kind, watched for what it holds. */
export const soak = async ({ seconds, every, filled, say = () => undefined }: Options): Promise<Soaked> => {
  const folder = tempRoot('soak')
  const redis = await startRedis()
  const authority = await createAuthority()
  const plain = await httpBackend(
    (asked, response) => {
      asked.resume()
      asked.on('end', () => response.end('steady'))
    },
    { upgrade: echoWebSocket },
  )
  const secret = await httpBackend('secret', { tls: await authority.issue(['pass.gw.localhost']) })
  const [http, https, api] = [await freePort(), await freePort(), await freePort()]
  writeFileSync(
    join(folder.path, 'gateway.config.mts'),
    `import { defineGateway } from 'zos-gateway'
import { local } from 'zos-gateway/presets'
import { sampling } from '${fileURLToPath(new URL('sampling.mjs', import.meta.url))}'
export default defineGateway((flags) => ({ plugins: [...local(flags), sampling(${every})] }))
`,
  )
  const root = join(folder.path, 'root')
  const flags = ['--root', root, '--broker', redis.broker.unix, '--http', `${http}`, '--https', `${https}`, '--api', `${api}`]
  const gateway = gatewayProcess(flags, { cwd: folder.path })
  try {
    await gateway.until('is up')
    let pem: string | undefined
    const ca = () => {
      pem ??= readFileSync(join(root, 'ca', 'root.pem'), 'utf8')
      return pem
    }
    if (filled) say(`full after ${await fill({ broker: redis.broker.unix, api, backend: plain.url })} rounds`)
    const begun = samplesOf(gateway.stderr).length
    const over = AbortSignal.timeout(seconds * 1_000)
    const telling = setInterval(() => say(`${samplesOf(gateway.stderr).length} samples`), 60_000)
    const counts = await traffic({ broker: redis.broker.unix, api, https, ca, plain, secret, secretCa: authority.root }, over)
    clearInterval(telling)
    const samples = samplesOf(gateway.stderr).slice(begun)
    return { ...counts, samples, lines: lines(samples) }
  } finally {
    await gateway[Symbol.asyncDispose]()
    await Promise.all([redis.close(), plain.close(), secret.close()])
    await folder.remove()
  }
}

const samplesOf = (log: string): readonly Sample[] =>
  log
    .split('\n')
    .filter((line) => line.includes('"soak sample"'))
    .map((line) => JSON.parse(line))
