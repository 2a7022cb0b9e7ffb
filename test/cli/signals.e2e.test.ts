import { once } from 'node:events'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freePort, tempRoot } from '../kit/index.ts'
import { gatewayProcess } from './gateway-process.ts'
import { childrenOf } from './processes.ts'

const started = async (...more: string[]) => {
  const root = tempRoot('signals')
  onTestFinished(root.remove)
  const [http, https, api, accessLog] = [await freePort(), await freePort(), await freePort(), join(root.path, 'access.log')]
  writeFileSync(
    join(root.path, 'gateway.config.mts'),
    `import { defineGateway } from 'zos-gateway'
import { embedded, fqdnProxy, httpApi, localCa, memory, staticNode } from 'zos-gateway/plugins'
export default defineGateway({ plugins: [
  staticNode({ domain: 'gw.localhost', ipv4: '127.0.0.1' }), fqdnProxy(), localCa(), memory(),
  embedded({ http: { port: ${http}, redirect: false }, https: { port: ${https} }, accessLog: '${accessLog}' }), httpApi({ tcp: { port: ${api} } }),
] })
`,
  )
  const gateway = gatewayProcess(['--root', join(root.path, 'root'), ...more], { cwd: root.path })
  onTestFinished(() => gateway[Symbol.asyncDispose]())
  await gateway.until('is up')
  const put = await fetch(`http://127.0.0.1:${api}/v1/workloads/1-1-a`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ fqdn: 'a.localhost', backends: [`http://127.0.0.1:${await freePort()}`] }),
  })
  expect(put.status).toBeLessThan(300)
  const ask = async (path: string) => {
    const [response] = await once(get({ host: '127.0.0.1', port: http, path, headers: { host: 'a.localhost' } }), 'response')
    response.resume()
    return response.statusCode
  }
  return { gateway, accessLog, ask }
}
/** The processes that listen on a debugger's port. */
const debuggers = (pids: readonly number[]) =>
  pids.filter((pid) => /^\s*\d+: 0100007F:240D 00000000:0000 0A/m.test(readFileSync(`/proc/${pid}/net/tcp`, 'utf8')))

describe.for([[[]], [['--upgradable']]])('a gateway run with %s', ([more = []]) => {
  test('opens its access log anew at SIGUSR1, and no debugger', async () => {
    const { gateway, accessLog, ask } = await started(...more)
    expect(await ask('/before')).toBe(502)
    await expect.poll(() => readFileSync(accessLog, 'utf8'), { timeout: 30_000 }).toContain('/before')
    renameSync(accessLog, `${accessLog}.1`)
    gateway.signal('SIGUSR1')
    await expect.poll(() => existsSync(accessLog), { timeout: 30_000 }).toBe(true)
    expect(await ask('/after')).toBe(502)
    await expect.poll(() => readFileSync(accessLog, 'utf8'), { timeout: 30_000 }).toContain('/after')
    expect(gateway.stderr).not.toContain('Debugger')
    expect(debuggers([gateway.pid, ...childrenOf(gateway.pid)])).toEqual([])
  })
})

test('a gateway that cannot be upgraded says so at SIGUSR2 and serves on', async () => {
  const { gateway, ask } = await started()
  gateway.signal('SIGUSR2')
  await gateway.until('--upgradable')
  expect(await ask('/')).toBe(502)
})
