import { expect, it, onTestFinished } from 'vitest'
import { createGateway, GatewayError, type Health } from '../../../core/index.ts'
import { memory, type ZbusOptions, zbus } from '../../../plugins/index.ts'
import { findBroker } from '../../../plugins/transport/zbus/find-broker.ts'
import { anyHost, anyTls, set, tableEngine } from '../../core/parts.ts'
import { freePort, tempRoot } from '../../kit/index.ts'

it.each([
  [{ broker: 'redis://127.0.0.1' }, 'tcp://[password@]host:port'],
  [{ broker: 7 }, 'broker is no text'],
  [{ module: 'a.b' }, 'module is no name'],
  [{ module: '' }, 'module is no name'],
  [{ workers: 0 }, 'workers is 0'],
  [{ workers: 1.5 }, 'workers is 1.5'],
  [{ workers: 5_000 }, 'workers is 5000'],
  [{ password: 'hunter2' }, 'password is no place'],
  [{ broker: 'tcp://hunter2@127.0.0.1', password: { env: 'BROKER' } }, 'password names another'],
])('refuses %j where it is written', (options, said) => {
  expect(() => zbus(options as ZbusOptions)).toThrow(said)
  expect(() => zbus(options as ZbusOptions)).toThrow(GatewayError)
})

it('never shows the password of a broker that it refuses', () => {
  for (const broker of ['tcp://hunter2@', 'rediss://hunter2@host'])
    expect(() => zbus({ broker })).toThrow(expect.not.objectContaining({ message: expect.stringContaining('hunter2') }))
  expect(() => zbus({ password: 'hunter2' as never })).toThrow(
    expect.not.objectContaining({ message: expect.stringContaining('hunter2') }),
  )
})

it('finds no broker where none answers', async () => {
  const { path, remove } = tempRoot()
  onTestFinished(remove)
  expect(await findBroker([`unix://${path}/none.sock`, `tcp://127.0.0.1:${await freePort()}`])).toBeUndefined()
})

it('does not keep the gateway from serving when its broker is away, says so, and closes at once', async () => {
  const { path: root, remove } = tempRoot()
  onTestFinished(remove)
  const logged: string[] = []
  const gateway = await createGateway(
    {
      plugins: [
        memory(),
        anyHost(),
        anyTls(),
        tableEngine().plugin,
        zbus({ broker: `tcp://s3cret@127.0.0.1:${await freePort()}` }),
      ],
    },
    { root, log: (_, message) => void logged.push(message) },
  )
  onTestFinished(gateway.close)
  const health = (): { state: Health; reason?: string } | undefined =>
    gateway.status().plugins.find(({ name }) => name === 'transport/zbus')
  await expect.poll(() => health()?.state).toBe('degraded')
  expect(health()?.reason).toMatch(/^no broker at tcp:\/\/127\.0\.0\.1:\d+: .*(ECONNREFUSED|closed)/)
  expect(await gateway.dispatch(set('w1', 'a.example.org'))).toMatchObject({ host: 'a.example.org' })
  expect(gateway.status().ready).toBe(true)
  await gateway.close()
  expect(logged.join('\n')).toMatch(/^BROKER_UNAVAILABLE: zbus has no broker at .+ \(see that Redis runs there/m)
  expect(logged.join('\n')).not.toContain('s3cret')
})
