import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, onTestFinished, test } from 'vitest'
import { gatewayProcess } from '../../../cli/gateway-process.ts'
import { freePort, startDns, tempRoot } from '../../../kit/index.ts'
import { schemathesisPath } from '../../../kit/programs.ts'
import { canary } from '../../../kit/said.ts'

const token = canary('schemathesis-token')

/** A gateway with the whole API behind a token, which asks a DNS of this test. */
const start = async (folder: string) => {
  const [http, https, api, dns] = [await freePort(), await freePort(), await freePort(), await startDns()]
  onTestFinished(dns.close)
  const hash = `sha256:${createHash('sha256').update(token).digest('hex')}`
  writeFileSync(
    join(folder, 'gateway.config.mts'),
    `import { defineGateway } from 'zos-gateway'
import { doctor, httpApi } from 'zos-gateway/plugins'
import { local } from 'zos-gateway/presets'
const api = httpApi({ tcp: { port: ${api} }, tokens: [{ hash: '${hash}', scope: 'write' }] })
const own = [api, doctor({ http: ${http}, https: ${https}, nameServers: ['${dns.address}'] })]
const without = ['transport/zbus', 'policy/points-here']
export default defineGateway(() => ({
  plugins: local({ http: ${http}, https: ${https}, api: ${api} })
    .filter(({ name }) => !without.includes(name))
    .map((plugin) => own.find(({ name }) => name === plugin.name) ?? plugin),
}))
`,
  )
  const gateway = gatewayProcess(['--root', join(folder, 'root')], { cwd: folder })
  onTestFinished(() => gateway[Symbol.asyncDispose]())
  await gateway.until('is up')
  return { url: `http://127.0.0.1:${api}`, said: () => gateway.stderr }
}

test('whatever Schemathesis makes of the description of the API, no answer is an error of the server, and each is as described', async () => {
  const folder = tempRoot('schemathesis')
  onTestFinished(folder.remove)
  const { url, said } = await start(folder.path)
  writeFileSync(
    join(folder.path, 'schemathesis.toml'),
    `headers = { Authorization = "Bearer ${token}" }
# A description has no rules for addresses: what is well-formed may be refused all the same.
checks = { positive_data_acceptance = { enabled = false } }
[[operations]]
include-path = "/v1/events"
# A stream that is followed has no end; what is given here stands for whatever would have been made.
parameters = { "query.follow" = "false" }
checks = { negative_data_rejection = { enabled = false } }
`,
  )
  const { all, exitCode } = await execa(
    schemathesisPath(),
    ['--config-file', 'schemathesis.toml', 'run', `${url}/openapi.json`, ...options],
    { cwd: folder.path, reject: false, all: true, timeout: 240_000 },
  )
  expect(exitCode, all).toBe(0)
  expect(said()).not.toContain('a request failed')
})

/** `SEED` and `EXAMPLES` try others, and more. */
const options = [
  ['--seed', process.env.SEED ?? '1', '--max-examples', process.env.EXAMPLES ?? '30'],
  ['--suppress-health-check', 'all', '--request-timeout', '60', '--generation-database', 'none', '--no-color'],
].flat()
