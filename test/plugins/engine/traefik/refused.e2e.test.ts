import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Event, Route, WorkloadId } from '../../../../core/index.ts'
import { traefikApi } from '../../../../plugins/engine/traefik/api.ts'
import { documentOf, type Shape } from '../../../../plugins/engine/traefik/document.ts'
import { Liveness } from '../../../../plugins/engine/traefik/liveness.ts'
import { readOptions } from '../../../../plugins/engine/traefik/settings.ts'
import { sharedDocument } from '../../../../plugins/engine/traefik/shared.ts'
import { staticConfig } from '../../../../plugins/engine/traefik/static-config.ts'
import { yaml } from '../../../../plugins/engine/traefik/yaml.ts'
import { freePort, tempRoot } from '../../../kit/index.ts'
import { traefikPath } from '../../../kit/programs.ts'

const route = (id: string, backends: readonly string[]): Route => ({
  id: id as WorkloadId,
  host: `${id}.example.org`,
  backends,
  passthrough: false,
  tenant: id,
  tls: { mode: 'terminate', resolver: 'files', names: [`${id}.example.org`] },
})

test('a route that Traefik refuses is told with its own reason, and the others are live', async () => {
  const root = tempRoot()
  const proxy = join(root.path, 'proxy')
  await mkdir(proxy)
  const settings = readOptions({
    http: { port: await freePort() },
    https: { port: await freePort() },
    api: { port: await freePort() },
    issue: 'gateway',
  })
  const shape: Shape = { issues: () => false, several: ['not-there'], grpc: false }
  const [good, bad] = [route('1-1-good', ['http://127.0.0.1:1']), route('1-2-bad', ['http://127.0.0.1:1', 'http://127.0.0.1:2'])]
  for (const one of [good, bad]) await writeFile(join(proxy, `${one.id}.yaml`), yaml(documentOf(one, shape)))
  // With the one above a thousand, which is a whole page of Traefik's list.
  const refused = Array.from({ length: 999 }, (_, n) => [
    `n${n}`,
    { rule: `Host(\`n${n}.example.org\`)`, service: bad.id, middlewares: ['not-there'], tls: {} },
  ])
  await writeFile(join(proxy, 'refused.yaml'), yaml({ http: { routers: Object.fromEntries(refused) } }))
  await writeFile(join(proxy, 'gateway.shared.yaml'), yaml(sharedDocument(settings, 'token', 7)))
  const config = join(root.path, 'traefik.yaml')
  await writeFile(config, yaml(staticConfig(settings, { proxy, state: root.path }, [3, 6, 15])))
  const child = spawn(traefikPath(), [`--configFile=${config}`], { stdio: 'ignore' })
  const api = traefikApi({ api: settings.api, https: { host: '127.0.0.1', port: settings.https.port }, token: 'token' })
  onTestFinished(async () => {
    api.close()
    child.kill('SIGKILL')
    await root.remove()
  })
  await vi.waitFor(async () => expect(await api.serves(7)).toBe(true), { timeout: 20_000 })
  expect(await api.generation()).toBe(7)
  const events: Event[] = []
  const liveness = new Liveness(
    (event) => events.push(event),
    () => true,
  )
  liveness.put(good, 7)
  liveness.put(bad, 7)
  const troubles = await api.troubles()
  expect(troubles).toHaveLength(1_000)
  liveness.served(7, troubles)
  await vi.waitFor(() => expect(events).toContainEqual({ type: 'live', id: good.id }), { timeout: 20_000 })
  liveness.close()
  expect(events).toContainEqual({
    type: 'live',
    id: bad.id,
    error: expect.objectContaining({ message: 'Traefik refuses the route: middleware "not-there@file" does not exist' }),
  })
})
