import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freePort } from '../kit/port.ts'
import { tempRoot } from '../kit/root.ts'
import { gatewayProcess } from './gateway-process.ts'

const head = `import { definePlugin, defineGateway, capability } from 'zos-gateway'
import { embedded, memory } from 'zos-gateway/plugins'
const service = (rest) => definePlugin({ name: 'service/mine', kind: 'service', ...rest })
`
const refused: Record<string, { config?: string; args?: string[]; exit: number; says: RegExp }> = {
  'two engines': {
    config: `[embedded(), definePlugin({ name: 'engine/mine', kind: 'engine', setup: () => ({}) })]`,
    exit: 78,
    says: /CONFIG_INVALID: 'engine\/embedded' and 'engine\/mine' are both of kind 'engine'/,
  },
  'an option that does not exist': {
    config: `[memory(), (await import('zos-gateway/plugins')).backends({ alow: ['10.0.0.0/8'] })]`,
    exit: 78,
    says: /CONFIG_INVALID: [^\n]*gateway\.config\.mjs:4: backends: the option alow does not exist \(did you mean allow\?\)/,
  },
  'a plugin whose need nobody provides': {
    config: `[memory(), service({ needs: { clock: capability('acme/clock') }, setup: () => ({}) })]`,
    exit: 78,
    says: /PLUGIN_MISSING: 'service\/mine' needs 'acme\/clock'/,
  },
  'a plugin whose setup throws': {
    config: `[memory(), service({ setup: async () => { throw new Error('no modem') } })]`,
    exit: 70,
    says: /PLUGIN_FAILED: plugin 'service\/mine': no modem/,
  },
  'a config that throws from a timer while it loads': {
    config: `await new Promise((resolve) => { setTimeout(() => { throw new Error('too late') }); setTimeout(resolve, 5_000) })`,
    exit: 78,
    says: /CONFIG_INVALID: [^\n]*gateway\.config\.mjs:4: loading it failed: too late/,
  },
  'a config that leaves a promise to reject while it loads': {
    config: `(Promise.reject('no reason'), await new Promise((resolve) => setTimeout(resolve, 5_000)))`,
    exit: 78,
    says: /CONFIG_INVALID: [^\n]*gateway\.config\.mjs: loading it failed: .*"no reason"/,
  },
  'a plugin that throws from a timer while it is set up': {
    config: `[memory(), service({ setup: () => new Promise(() => { setTimeout(() => { throw new Error('no modem') }) }) })]`,
    exit: 78,
    says: /CONFIG_INVALID: [^\n]*gateway\.config\.mjs:4: loading it failed: no modem/,
  },
  'a root that cannot be': {
    args: ['--root', '/dev/null/root'],
    exit: 73,
    says: /ROOT_UNUSABLE: the root \/dev\/null\/root cannot be made/,
  },
  'a broker of no known kind': { args: ['--broker', 'ftp://redis'], exit: 78, says: /CONFIG_INVALID: .*zbus: .*unix:\/\/\/path/ },
  'a port that is none': { args: ['--https', '443x'], exit: 2, says: /BAD_REQUEST: --https "443x" is no number from 1 to 65535/ },
  'a flag that is unknown': {
    args: ['--worker', '3'],
    exit: 2,
    says: /BAD_REQUEST: unknown flag --worker \(did you mean --workers\?/,
  },
}

test.concurrent.for(Object.entries(refused))(
  '%s ends the start with a sentence and its exit code',
  async ([, { config, args = [], exit, says }]) => {
    const folder = tempRoot('refused')
    if (config)
      writeFileSync(join(folder.path, 'gateway.config.mjs'), `${head}export default defineGateway({ plugins: ${config} })`)
    await using gateway = gatewayProcess(['--root', join(folder.path, 'root'), ...args], { cwd: folder.path })
    expect(await gateway.ended).toBe(exit)
    expect(gateway.stderr).toMatch(says)
    expect(gateway.stderr).toMatch(/^gateway: [A-Z_]+: [^\n]+ \([^\n]+\)\n$/)
    await folder.remove()
  },
)

test.concurrent('a port that is given twice ends the start, and is said', async () => {
  const folder = tempRoot('twice')
  const port = String(await freePort())
  await using gateway = gatewayProcess(['--root', folder.path, '--http', port, '--https', port], { cwd: folder.path })
  expect(await gateway.ended).toBe(78)
  expect(gateway.stderr).toMatch(
    /^gateway: CONFIG_INVALID: \S+:\d+ is wanted twice, by 'engine\/embedded' and 'engine\/embedded' \([^\n]+\)\n$/,
  )
  await folder.remove()
})

test.concurrent('a broker that is down keeps nothing else from serving, and is said', async () => {
  const folder = tempRoot('broker')
  const [http, https, api] = [await freePort(), await freePort(), await freePort()]
  const ports = { GATEWAY_HTTP: String(http), GATEWAY_HTTPS: String(https), GATEWAY_API: String(api) }
  const args = ['--root', join(folder.path, 'root'), '--broker', `unix://${folder.path}/redis.sock`]
  await using gateway = gatewayProcess(args, { cwd: folder.path, env: ports })
  await gateway.until('is up')
  await gateway.until('BROKER_UNAVAILABLE: zbus has no broker at')
  expect((await fetch(`http://127.0.0.1:${api}/healthz`)).status).toBe(200)
  gateway.signal('SIGTERM')
  expect(await gateway.ended).toBe(0)
  await folder.remove()
})

test.concurrent('what a config file leaves running and throws later is told, and the gateway serves on', async () => {
  const folder = tempRoot('later')
  writeFileSync(
    join(folder.path, 'gateway.config.mjs'),
    `${head}process.on('SIGUSR2', () => setTimeout(() => { throw new Error('much too late') }))
export default defineGateway({ plugins: [memory()] })`,
  )
  await using gateway = gatewayProcess(['--root', join(folder.path, 'root')], { cwd: folder.path })
  await gateway.until('is up')
  gateway.signal('SIGUSR2')
  await gateway.until('much too late')
  gateway.signal('SIGHUP')
  await gateway.until('reloaded')
  gateway.signal('SIGTERM')
  expect(await gateway.ended).toBe(0)
  await folder.remove()
})
