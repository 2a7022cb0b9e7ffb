import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { freePort } from './port.ts'
import { tempRoot } from './root.ts'

it('gives a new folder each time and removes it', async () => {
  const [one, two] = [tempRoot(), tempRoot()]
  expect(one.path).not.toBe(two.path)
  await Promise.all([one.remove(), two.remove(), one.remove()])
  expect([existsSync(one.path), existsSync(two.path)]).toEqual([false, false])
})

it('gives ports that can be listened on, each another', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, freePort))
  expect(new Set(ports).size).toBe(20)
  const server = createServer().listen(ports[0], '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  server.close()
})
