import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'vitest'
import { bin, follow } from '../cli/gateway-process.ts'
import { tempRoot } from '../kit/index.ts'
import { hooked, name, value } from '../plugins/service/dns-hook-parts.ts'
import { fault } from './fault.ts'

const hook = bin.replace('gateway.js', 'gateway-dns-hook.js')
const at = (socket: string) => ({ cwd: '/', env: { PATH: process.env.PATH, GATEWAY_DNS_SOCKET: socket } })

fault(20, 'with no gateway there the hook fails at once and says what to start', async () => {
  const root = tempRoot('hook')
  const program = follow(hook, ['present', name, value], at(join(root.path, 'dns-hook.sock')))
  expect(await program.ended).toBe(69)
  expect(program.stderr).toMatch(/^gateway-dns-hook: NOT_RUNNING: no gateway answers at .*dns-hook\.sock: .*ENOENT/)
  await root.remove()
})

fault(20, 'with no socket named the hook says how to name one', async () => {
  const program = follow(hook, ['present', name, value], { cwd: '/', env: { PATH: process.env.PATH } })
  expect(await program.ended).toBe(69)
  expect(program.stderr).toContain('set GATEWAY_DNS_SOCKET')
})

fault(20, 'a gateway that stopped is gone for the hook, and the next one serves it', async () => {
  const first = await hooked()
  const { env } = first.hook
  await first.gateway.close()
  const program = follow(hook, ['present', name, value], { cwd: '/', env: { ...env } })
  expect(await program.ended).toBe(69)
  await first[Symbol.asyncDispose]()
  await using next = await hooked()
  expect(await next.run('present', name, value).ended).toBe(0)
})

fault(
  20,
  'a gateway that is halted (SIGSTOP) is given up after 10 s, with exit code 5, and serves the hook once it goes on',
  async () => {
    const root = tempRoot('hook')
    const config = join(root.path, 'gateway.config.mts')
    writeFileSync(
      config,
      `import { definePlugin, defineGateway, DnsWriter } from 'zos-gateway'
     import { dnsHook, memory } from 'zos-gateway/plugins'
     const dns = { present: async () => undefined, cleanup: async () => undefined }
     const nobody = definePlugin({ name: 'dns-provider/nobody', kind: 'dns-provider', provides: { dns: DnsWriter }, setup: () => ({ api: { dns } }) })
     export default defineGateway({ plugins: [memory(), nobody, dnsHook({ zones: ['gw.example.org'] })] })`,
    )
    await using gateway = follow(process.execPath, [bin, '--config', config, '--root', root.path], { cwd: root.path })
    await gateway.until('is up')
    const ask = () => follow(hook, ['present', name, value], at(join(root.path, 'dns-hook.sock')))
    expect(await ask().ended).toBe(0)

    gateway.signal('SIGSTOP')
    const program = ask()
    expect(await program.ended).toBe(5)
    expect(program.stderr).toMatch(/TIMEOUT: the gateway at .* did not answer within 10 s/)

    gateway.signal('SIGCONT')
    expect(await ask().ended).toBe(0)
    gateway.signal('SIGTERM')
    await gateway.ended
    await root.remove()
  },
)

fault(20, 'something else on the socket, which ends without an answer or talks nonsense, is told from a gateway', async () => {
  const root = tempRoot('hook')
  for (const words of ['', 'hello\n', '{}\n', '{"exit":"0"}\n']) {
    const path = join(root.path, `${words.length}.sock`)
    const server = createServer((socket) => socket.end(words)).listen(path)
    await once(server, 'listening')
    const program = follow(hook, ['present', name, value], at(path))
    expect(await program.ended).toBe(69)
    expect(program.stderr).toContain('ended without an answer')
    server.close()
  }
  await root.remove()
})
