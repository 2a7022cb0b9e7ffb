import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import type { Plugin } from '../../core/index.ts'
import { askTexts } from '../../lib/dns/ask.ts'
import { dnsmasq, processes, responder } from '../../plugins/index.ts'
import { createAuthority } from '../kit/authority.ts'
import { challengeValue, endKept, freePort, isRunning, keptChildren, openDns, tempRoot } from '../kit/index.ts'
import { dnsmasqPath } from '../kit/programs.ts'
import { beside } from './beside.ts'
import { fault } from './fault.ts'

const domain = 'gw.example.org'
const at = `_acme-challenge.${domain}`
const patience = { timeout: 20_000, interval: 10 }

const world = async () => {
  const root = tempRoot('fault-21')
  onTestFinished(root.remove)
  onTestFinished(() => endKept(root.path))
  const [port, authority] = [await freePort(), await createAuthority()]
  const place = { domains: [domain], addresses: ['127.0.0.1'], port }
  const start = async (plugins: readonly Plugin[]) => {
    const others = await beside(authority)
    const { dns, gateway } = await openDns([...plugins, ...others.plugins], root.path)
    onTestFinished(gateway.close)
    const old = await others.load(gateway)
    onTestFinished(old.undisturbed)
    const close = async () => {
      await old.undisturbed()
      await gateway.close()
    }
    const health = (name: string) => gateway.status().plugins.find((one) => one.name === name)
    const present = async () => {
      const value = challengeValue()
      await dns.present(at, value, AbortSignal.timeout(30_000))
      return value
    }
    return { dns, close, health, present }
  }
  const told = () => askTexts({ host: '127.0.0.1', port }, at, { over: 'tcp', timeout: 500 }).catch(() => [])
  const pid = async () => {
    await expect.poll(() => keptChildren(root.path).get('dnsmasq'), patience).toBeDefined()
    return keptChildren(root.path).get('dnsmasq')!
  }
  const startDnsmasq = (command = dnsmasqPath()) => start([dnsmasq({ ...place, command }), processes()])
  return { root: root.path, port, place, start, startDnsmasq, told, pid }
}

/** Has the port as another name server would: UDP and TCP. */
const occupy = async (port: number) => {
  const [udp, tcp] = [createSocket('udp4'), createServer()]
  udp.bind({ port, address: '127.0.0.1', exclusive: true })
  tcp.listen({ port, host: '127.0.0.1', exclusive: true })
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')])
  return () => Promise.all([new Promise<void>((done) => udp.close(done)), new Promise((done) => tcp.close(done))])
}

for (const provider of ['dnsmasq', 'responder'] as const)
  fault(
    21,
    `where the port of ${provider} is taken the gateway starts, names the process that has it, and goes on once it is free`,
    async () => {
      const { port, place, start, startDnsmasq, told } = await world()
      const free = await occupy(port)
      const { present, health } = await (provider === 'dnsmasq' ? startDnsmasq() : start([responder(place)]))
      await expect(present()).rejects.toMatchObject({
        code: 'PORT_IN_USE',
        message: expect.stringContaining(`port ${port} is in use by pid ${process.pid} `),
        fix: expect.stringContaining('addresses'),
      })
      expect(health(`dns-provider/${provider}`)).toMatchObject({
        state: 'degraded',
        reason: expect.stringContaining(`pid ${process.pid}`),
      })
      await free()
      await expect
        .poll(
          () =>
            present().then(
              () => 'ok',
              ({ code }) => code,
            ),
          patience,
        )
        .toBe('ok')
      expect((await told()).length).toBeGreaterThan(0)
      expect(health(`dns-provider/${provider}`)?.state).toBe('ok')
    },
  )

fault(21, 'a dnsmasq that is killed is there again with all values, the first time at once', async () => {
  const { startDnsmasq, told, pid } = await world()
  const { present, dns } = await startDnsmasq()
  const [one, two] = [await present(), await present()]
  const first = await pid()
  process.kill(first, 'SIGKILL')
  await expect.poll(told, patience).toEqual(expect.arrayContaining([one, two]))
  const second = await pid()
  expect(second).not.toBe(first)
  process.kill(second, 'SIGKILL')
  await expect.poll(told, patience).toEqual(expect.arrayContaining([one, two]))
  await dns.cleanup(at, one)
  await expect.poll(told, patience).toEqual([two])
})

fault(21, 'where dnsmasq refuses its config the one that runs runs on, with what it answered', async () => {
  const { root, startDnsmasq, told, pid } = await world()
  const command = join(root, 'dnsmasq.sh')
  const install = (text: string) => {
    writeFileSync(`${command}.new`, `#!/bin/sh\n${text}\n`, { mode: 0o755 })
    renameSync(`${command}.new`, command)
  }
  install(`exec ${dnsmasqPath()} "$@"`)
  const { present, health } = await startDnsmasq(command)
  const value = await present()
  const before = await pid()
  // An upgrade that knows an option no more.
  install('echo "dnsmasq: bad option at line 9 of $2" >&2; exit 1')
  await expect(present()).rejects.toMatchObject({
    code: 'DNS_UNAVAILABLE',
    message: expect.stringContaining('bad option at line 9'),
  })
  expect(await pid()).toBe(before)
  expect(await told()).toEqual([value])
  expect(health('dns-provider/dnsmasq')).toMatchObject({ state: 'degraded', reason: expect.stringContaining('bad option') })
  install(`exec ${dnsmasqPath()} "$@"`)
  const next = await present()
  expect(await told()).toEqual(expect.arrayContaining([value, next]))
  expect(health('dns-provider/dnsmasq')?.state).toBe('ok')
})

fault(21, 'a program that dies at its start is told with its last words, and no order waits for ever', async () => {
  const { root, startDnsmasq } = await world()
  const command = join(root, 'dnsmasq.sh')
  writeFileSync(command, '#!/bin/sh\n[ "$1" = --test ] && exit 0\necho "dnsmasq: cannot run as it is" >&2\nexit 5\n', {
    mode: 0o755,
  })
  const { present } = await startDnsmasq(command)
  await expect(present()).rejects.toMatchObject({
    code: 'PROCESS_FAILED',
    message: expect.stringContaining('cannot run as it is'),
  })
})

fault(21, 'a program that is not there is told with what to install', async () => {
  const { root, startDnsmasq, start, place } = await world()
  const { present, close } = await startDnsmasq(join(root, 'none'))
  await expect(present()).rejects.toMatchObject({ code: 'PROCESS_FAILED', fix: expect.stringContaining('dnsmasq-base') })
  // Another provider is one line away, on the same port.
  await close()
  const { present: instead } = await start([responder(place)])
  await instead()
})

fault(21, 'it outlives the gateway, is taken over by the next one, and none is left twice', async () => {
  const { startDnsmasq, told, pid } = await world()
  const first = await startDnsmasq()
  const value = await first.present()
  const before = await pid()
  await first.close()
  expect(await told()).toEqual([value])
  const second = await startDnsmasq()
  const next = await second.present()
  expect(await told()).toEqual(expect.arrayContaining([value, next]))
  expect(await pid()).not.toBe(before)
  expect(isRunning(before)).toBe(false)
})
