import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { traefikApi } from '../../../../plugins/engine/traefik/api.ts'
import { tempRoot } from '../../../kit/index.ts'

it('rejects each question once where nobody answers at the unix socket to the namespace of Traefik', async () => {
  const root = tempRoot('api')
  onTestFinished(() => root.remove())
  const uncaught: unknown[] = []
  const catches = (error: unknown) => void uncaught.push(error)
  process.on('uncaughtException', catches)
  onTestFinished(() => void process.off('uncaughtException', catches))
  const closed: Promise<unknown>[] = []
  const dial = () => {
    const socket = connect(join(root.path, 'bridge'))
    closed.push(new Promise((done) => socket.once('close', done)))
    socket.write(Buffer.of(0))
    return socket
  }
  const place = { host: '127.0.0.1', port: 443 }
  const api = traefikApi({ api: place, https: place, token: 'token', dial })
  onTestFinished(api.close)
  const asked = [api.certified('left.example.org'), api.serves(1), api.generation(), api.metrics()]
  const codes = asked.map((one) => one.then(String, (error) => error.code))
  expect(await Promise.all(codes)).toEqual(asked.map(() => 'ENOENT'))
  await Promise.all(closed)
  await wait(0)
  expect(uncaught).toEqual([])
})
