import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { freePort, httpBackend, tempRoot } from '../kit/index.ts'
import { bin, follow } from './gateway-process.ts'

test('clients that take every file descriptor leave enough for other requests, the API and the command line, and are reported', async () => {
  const { path: cwd, remove } = tempRoot()
  onTestFinished(remove)
  const [http, https, api] = [await freePort(), await freePort(), await freePort()]
  const web = await httpBackend((_, response) => response.end('hello'))
  onTestFinished(web.close)
  const ports = ['--http', `${http}`, '--https', `${https}`, '--api', `${api}`]
  const limited = `ulimit -n 256 && exec "$0" "$@"`
  await using gateway = follow('sh', ['-c', limited, process.execPath, bin, '--root', 'root', ...ports], { cwd })
  await gateway.until('is up')
  await gateway.until('115 client connections at once instead of 20000: this process may open 256 files')
  const run = async (...args: string[]) => {
    await using command = follow(process.execPath, [bin, ...args, '--root', 'root'], { cwd })
    expect([await command.ended, command.stderr]).toEqual([0, ''])
    return command.stdout
  }
  await run('set-name', '1-1-a', 'a', web.url)

  const flood: Socket[] = []
  onTestFinished(() => {
    for (const socket of flood) socket.destroy()
  })
  for (let at = 0; at < 400; at++) {
    // One address alone would meet its own limit first.
    const localAddress = `127.0.0.${2 + (at % 20)}`
    const socket = connect({ host: '127.0.0.1', port: http, localAddress }).on('error', () => {})
    socket.write('GET / HTTP/1.1\r\nHost: a.gw.localhost\r\n')
    flood.push(socket)
  }
  const refused = flood.slice(115).map((socket) => new Promise((done) => socket.once('close', done)))
  await Promise.all(refused)
  expect(flood.filter((socket) => !socket.destroyed).length).toBeLessThanOrEqual(115)
  expect((await fetch(`http://127.0.0.1:${api}/healthz`)).status).toBe(200)
  await gateway.until('connections are refused: 115 are open, the most that there may be')
  expect(await run('status')).toContain('connections are refused: 115 are open')

  for (const socket of flood.splice(0)) socket.destroy()
  await expect
    .poll(
      () =>
        fetch(`http://127.0.0.1:${http}/`, { redirect: 'manual' }).then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: 20_000 },
    )
    .not.toBe(0)
})
