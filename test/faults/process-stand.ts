import { mkdirSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type GatewayProcess, gatewayProcess } from '../cli/gateway-process.ts'
import { backend } from '../kit/engine/cases.ts'
import { defer } from '../kit/engine/world.ts'
import { endKept, freePort, http1, openTls, tempRoot } from '../kit/index.ts'
import { configText, type EngineName } from '../torture/config.ts'
import { ask } from '../torture/http-caller.ts'
import { domain } from '../torture/operation.ts'
import { underLoad } from './old-route.ts'

/** A gateway that is a process of its own, with a store on the disk. */
export const processStand = async (engine: EngineName) => {
  const folder = tempRoot('fault')
  const [root, config] = [join(folder.path, 'root'), join(folder.path, 'gateway.config.mts')]
  const ports = {
    http: await freePort(),
    https: await freePort(),
    api: await freePort(),
    relay: await freePort(),
    dns: await freePort(),
  }
  mkdirSync(root, { mode: 0o700 })
  writeFileSync(config, configText(ports, '', 'power', engine))
  const started: GatewayProcess[] = []
  defer(async () => {
    for (const gateway of started) await gateway[Symbol.asyncDispose]()
    await endKept(root)
    await folder.remove()
  })
  const agent = new Agent()
  const call = (method: string, path: string, body?: object) => ask(agent, join(root, 'gateway.sock'), method, path, body)
  const put = async (id: string, name: string, url: string) => {
    const { status, body } = await call('PUT', `/v1/workloads/${id}?wait=live`, { name, backends: [url] })
    expect([200, 201], body).toContain(status)
  }
  return {
    root,
    https: ports.https,
    call,
    put,
    start: () => {
      const gateway = gatewayProcess(['--root', root, '--config', config], { cwd: folder.path })
      started.push(gateway)
      return gateway
    },
    /** Another tenant's route, under load; see `oldRoute`. */
    oldRoute: async () => {
      await put('900-1-old', 'old', (await backend('old')).url)
      const host = `old.${domain}`
      return underLoad({ host, text: 'old', connect: async () => http1(await openTls({ port: ports.https }, { name: host })) })
    },
  }
}
