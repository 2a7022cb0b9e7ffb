import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { endpointArgs } from '../plugins/engine/traefik/endpoint/index.ts'
import { echoUpgrade } from './kit/backends/http.ts'
import { hostilePeers } from './kit/hostile-peers.ts'
import { freePort, httpBackend, openTcp, rawBackend, tempRoot } from './kit/index.ts'
import { passThrough, relayRoute, relayStand } from './plugins/engine/traefik/relay-stand.ts'

// Whatever a peer sends ends at most its own flow: the process of before is there after all of it, and other flows go on.

const source = (path: string) => join(import.meta.dirname, './..', path)
const start = async (args: readonly string[], path: string): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [...args], { stdio: 'inherit' })
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  await vi.waitFor(() => stat(path), { timeout: 30_000 })
  return child
}
const lives = (child: ChildProcess) => expect([child.exitCode, child.signalCode]).toEqual([null, null])
const folder = (name: string) => {
  const root = tempRoot(name)
  onTestFinished(() => root.remove())
  return root.path
}
/** Connects and waits for what comes back on these bytes. */
const answerTo = async (to: { port: number } | { path: string }, bytes: string | Buffer): Promise<string> => {
  const socket = connect(to)
  onTestFinished(() => void socket.destroy())
  socket.write(bytes)
  const [chunk] = await once(socket, 'data')
  return String(chunk)
}

test('the relay', { timeout: 120_000 }, async () => {
  const token = 'of-traefik'
  const stand = await relayStand([], { token })
  const own = await rawBackend(async (connection) => {
    for (;;) await connection.send(await connection.some())
  })
  onTestFinished(own.close)
  await stand.client.restore([relayRoute('1-1-own', 'own.test', [own.address])])
  const flow = await passThrough(stand, 'own.test')
  await flow.take(flow.hello.length)
  const { pid } = stand.process
  await hostilePeers({ port: stand.port })
  await hostilePeers({ path: join(stand.folder, 'socket') })
  await flow.send('still')
  expect((await flow.take(5)).toString()).toBe('still')
  lives(stand.process)
  expect(stand.process.pid).toBe(pid)
})

const answers: Readonly<Record<string, string>> = {
  'a status of 099': 'HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n',
  'a status of 000': 'HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n',
  'a status of 101 without an upgrade': 'HTTP/1.1 101 X\r\nContent-Length: 0\r\n\r\n',
  'a control byte in the reason': 'HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n',
  'DEL in the reason': 'HTTP/1.1 200 O\x7fK\r\nContent-Length: 0\r\n\r\n',
  'a control byte in the reason of an upgrade': 'HTTP/1.1 101 \x01\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n',
  'a control byte in a field': 'HTTP/1.1 200 OK\r\nX-A: a\x01b\r\nContent-Length: 0\r\n\r\n',
  'a field without a name': 'HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 0\r\n\r\n',
  'a body after 204': 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello',
  'two answers': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 099 X\r\n\r\n',
  'an interim response that is none': 'HTTP/1.1 103 \x01\r\nLink: a\r\n\r\nHTTP/1.1 099 X\r\n\r\n',
  'a chunk without a size': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n',
  'what is no HTTP': '\0\xff\r\n\r\n',
}
test("the relay, whatever a tenant's backend answers", { timeout: 120_000 }, async () => {
  const token = 'of-traefik'
  const stand = await relayStand([], { token })
  const good = await httpBackend('good', { upgrade: echoUpgrade })
  onTestFinished(good.close)
  const { pid } = stand.process
  let said = ''
  const evil = createServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.end(Buffer.from(said, 'latin1')))
  })
  const port = await freePort()
  evil.listen(port, '127.0.0.1')
  onTestFinished(() => void evil.close())
  const http = (id: string, host: string, address: string) => ({
    ...relayRoute(id, host, []),
    http: true as const,
    backends: [{ host: '127.0.0.1', port: Number(address.split(':').at(-1)) }],
  })
  await stand.client.restore([http('1-1-good', 'good.test', good.address), http('2-2-evil', 'evil.test', `127.0.0.1:${port}`)])
  const request = (host: string) =>
    `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: chat\r\nX-Gateway-Relay: ${token}\r\nX-Real-Ip: 192.0.2.1\r\n\r\n`
  const other = await openTcp({ port: stand.port, before: Buffer.from(request('good.test')) })
  expect(String((await once(other, 'data'))[0])).toContain(' 101 ')
  for (const [name, answer] of Object.entries(answers)) {
    said = answer
    const socket = await openTcp({ port: stand.port, before: Buffer.from(request('evil.test')) })
    await new Promise((done) =>
      socket
        .on('error', () => undefined)
        .on('close', done)
        .resume(),
    )
    other.write('x')
    expect(String((await once(other, 'data'))[0]), name).toBe('x')
  }
  lives(stand.process)
  expect(stand.process.pid).toBe(pid)
})

test('the process that serves Traefik its routes over HTTP', { timeout: 120_000 }, async () => {
  const root = folder('endpoint')
  const { writeFile } = await import('node:fs/promises')
  await writeFile(join(root, 'token'), 'secret')
  const port = await freePort()
  const child = await start(endpointArgs({ folder: root, port, hold: 100 }), join(root, 'socket'))
  await vi.waitFor(async () => (await openTcp({ port })).destroy(), { timeout: 30_000 })
  await hostilePeers({ port, host: '127.0.0.1' })
  await hostilePeers({ path: join(root, 'socket') })
  const poll = 'GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n\r\n'
  expect(await answerTo({ port }, poll)).toContain(' 200 ')
  expect(await answerTo({ path: join(root, 'socket') }, '')).toContain('hello')
  lives(child)
})

test('the bridge into a network namespace', { timeout: 120_000 }, async () => {
  const path = join(folder('bridge'), 'bridge')
  const echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket))
  const port = await freePort()
  echo.listen(port, '127.0.0.1')
  onTestFinished(() => void echo.close())
  const child = await start([source('plugins/engine/traefik/bridge/main.ts'), path, `127.0.0.1:${port}`, '127.0.0.1:1'], path)
  const flow = connect(path)
  onTestFinished(() => void flow.destroy())
  flow.write(Buffer.of(0))
  flow.write('a')
  await once(flow, 'data')
  await hostilePeers({ path })
  flow.write('b')
  expect(String((await once(flow, 'data'))[0])).toBe('b')
  lives(child)
})

test('the process that asks dnsmasq from its network namespace', { timeout: 120_000 }, async () => {
  const path = join(folder('look'), 'look')
  const child = await start([source('plugins/dns-provider/dnsmasq/inside-main.ts'), path], path)
  await hostilePeers({ path })
  expect(await answerTo({ path }, 'null\n')).toBe('{}')
  lives(child)
})
