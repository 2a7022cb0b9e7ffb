import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bin, type GatewayProcess, gatewayProcess } from '../cli/gateway-process.ts'
import { freePort, tempRoot } from '../kit/index.ts'

const root = tempRoot()
const backend = createServer((_, response) => response.end('hello'))
let gateway: GatewayProcess
let ports: number[] = []

beforeAll(async () => {
  ports = await Promise.all([freePort(), freePort(), freePort(), freePort()])
  const config = join(root.path, 'gateway.config.mts')
  writeFileSync(
    config,
    `import { local } from 'zos-gateway/presets'
export default (flags) => ({ plugins: local(flags).filter(({ name }) => name !== 'transport/zbus') })`,
  )
  const [http, https, api] = ports
  gateway = gatewayProcess(['--root', root.path, '--http', `${http}`, '--https', `${https}`, '--api', `${api}`], {
    cwd: root.path,
  })
  backend.listen(ports[3], '127.0.0.1')
  await Promise.all([once(backend, 'listening'), gateway.until('is up')])
})
afterAll(async () => {
  backend.close()
  await gateway[Symbol.asyncDispose]()
  await root.remove()
})

/** Runs the first block of shell on a page as it stands there, but for the ports, and gives what it wrote. */
const session = async (page: string): Promise<string> => {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  const [, block = 'false'] = /```sh\n(.*?)```/s.exec(text) ?? []
  const script = block.replaceAll(':8070', `:${ports[2]}`).replaceAll(':9000', `:${ports[3]}`)
  const command = `gateway() { '${process.execPath}' '${bin}' "$@"; }\n${script}`
  const { stdout } = await execa('bash', ['-euo', 'pipefail', '-c', command], {
    cwd: root.path,
    env: { GATEWAY_ROOT: root.path },
  })
  return stdout
}

test('the requests in docs/http-api.md do what they say', async () => {
  const said = await session('http-api.md')
  expect(said).toMatch(/"host":"hello\.gw\.localhost".*"live":"20/)
  expect(said).toMatch(/"problems":\[\{"code":"DOMAIN_TAKEN"/)
  expect(said).toContain('"backends":["http://127.0.0.1:' + `${ports[3]}","http://127.0.0.1:9001"]`)
  expect(said).toContain('event: applied')
  expect(said).toContain('gateway_workloads 1')
})

test('the session in docs/cli.md does what it says', async () => {
  const said = await session('cli.md')
  expect(said).toMatch(/^zos-gateway .* is ready/)
  expect(said).toMatch(/would serve https:\/\/hello\.gw\.localhost.*\(live after \d+ ms\)/s)
  expect(said).toContain('1-1-hello is not served')
})
