import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { parse } from 'yaml'
import { connectEndpoint, type EndpointClient } from '../../../../plugins/engine/traefik/endpoint/client.ts'
import { endpointArgs } from '../../../../plugins/engine/traefik/endpoint/index.ts'
import type { Facts } from '../../../../plugins/engine/traefik/endpoint/protocol.ts'
import { freePort } from '../../../kit/index.ts'

export const token = 'T'.repeat(43)

/** The endpoint as a process, without a supervisor. */
export interface EndpointProcess {
  readonly child: ChildProcess
  readonly port: number
  readonly url: string
  /** What it wrote to stderr. */
  readonly stderr: () => string
  /** Ends it so, SIGTERM by default, and resolves when it is gone. */
  end(signal?: NodeJS.Signals): Promise<void>
}

export const startProcess = async (folder: string, options: { hold?: number; wait?: boolean } = {}): Promise<EndpointProcess> => {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, 'token'), token, { mode: 0o600 })
  const port = ports.get(folder) ?? (await freePort())
  ports.set(folder, port)
  const child = spawn(process.execPath, endpointArgs({ folder, port, ...options }), { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (text) => {
    stderr += text
  })
  const gone = once(child, 'exit')
  const { client, until } = await joinEndpoint(folder)
  const facts = await Promise.race([until(() => true), gone.then(() => Promise.reject(new Error(`it ended: ${stderr}`)))])
  await client.close()
  return {
    child,
    port: facts.port,
    url: `http://127.0.0.1:${facts.port}/`,
    stderr: () => stderr,
    end: async (signal = 'SIGTERM') => {
      child.kill(signal)
      await gone
    },
  }
}

/** By folder, the same after a restart. */
const ports = new Map<string, number>()

/** A gateway's side of the socket in `folder`, and a wait for what the endpoint says of itself. */
export const joinEndpoint = async (folder: string) => {
  const waiting = new Set<() => void>()
  const client: EndpointClient = connectEndpoint(join(folder, 'socket'), () => {
    for (const look of waiting) look()
  })
  const until = (wanted: (facts: Facts) => boolean) =>
    new Promise<Facts>((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`not in 30 s: ${JSON.stringify(client.facts())}`)), 30_000)
      const look = () => {
        const facts = client.facts()
        if (!facts || !wanted(facts)) return
        clearTimeout(timer)
        waiting.delete(look)
        done(facts)
      }
      waiting.add(look)
      look()
    })
  return { client, until }
}

/** A poll as Traefik's http provider does it: one connection for all. */
export const poller = (url: string) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    poll: () =>
      new Promise<{ status: number; text: string }>((done, fail) => {
        const request = get(url, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk) => chunks.push(chunk))
          response.on('end', () => done({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
        })
        request.on('error', fail)
      }),
    close: () => agent.destroy(),
  }
}

/** What a workload adds to the document, written by hand as the manual has it. */
export const part = (id: string, host: string, backend: string): string =>
  JSON.stringify({
    http: {
      routers: { [`${id}-route`]: { rule: `Host(\`${host}\`)`, service: id, tls: {} } },
      services: { [id]: { loadBalancer: { servers: [{ url: backend }] } } },
    },
  })

/** The document as Traefik reads it. */
export const read = (text: string) => parse(text, { merge: true })
export const routersOf = (text: string): string[] => Object.keys(read(text).http?.routers ?? {}).toSorted()
export const readDocument = (folder: string): Buffer => readFileSync(join(folder, 'document'))
