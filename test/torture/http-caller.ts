import { Agent, request } from 'node:http'
import type { Caller, Run } from './caller.ts'
import type { State } from './model.ts'
import { after, anyStep, pick } from './operation.ts'

interface Answer {
  readonly status: number
  readonly body: string
}
/** Asks the HTTP API on its unix socket. Rejects where the connection broke before the whole answer was there. */
export const ask = (agent: Agent, socketPath: string, method: string, path: string, body?: object) =>
  new Promise<Answer>((resolve, reject) => {
    const payload = body && JSON.stringify(body)
    const headers = payload ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) } : {}
    const asked = request({ agent, socketPath, method, path, headers, timeout: 60_000 }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }))
      answer.on('error', reject)
    })
    asked.on('timeout', () => asked.destroy(new Error('no answer within a minute')))
    asked.on('error', reject)
    asked.end(payload)
  })

interface Socket {
  readonly socket: string
}

/** One request after another. What breaks off may have happened or not. */
export const httpCaller = ({ socket, chance, ids, backends, model, violated, timedOut }: Run & Socket): Caller => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let answered = 0
  return {
    async turn() {
      const id = pick(chance, ids)
      const step = anyStep(chance, id, backends)
      const path = `/v1/workloads/${id}`
      const call =
        step === 'delete'
          ? ask(agent, socket, 'DELETE', path)
          : ask(agent, socket, 'PUT', path, { name: step.name, backends: [step.backend] })
      const answer = await call.catch(() => undefined)
      if (!answer) {
        model.maybe(id, after(step))
        await new Promise((resolve) => setTimeout(resolve, 20)) // the gateway is away
        return
      }
      answered++
      if (answer.status < 300) model.is(id, after(step))
      else if (answer.status === 503) model.maybe(id, after(step))
      else if (answer.status === 504 || answer.status === 408) timedOut()
      else if (answer.status !== 409) violated(`${id}: ${answer.status} ${answer.body}`)
    },
    answered: () => answered,
    close: async () => agent.destroy(),
  }
}

/** All workloads that the gateway has. */
export const allWorkloads = async (socket: string): Promise<ReadonlyMap<string, State>> => {
  const agent = new Agent({ keepAlive: true })
  const all = new Map<string, State>()
  for (let next: string | undefined = ''; next !== undefined; ) {
    const { body } = await ask(agent, socket, 'GET', `/v1/workloads?limit=1000${next && `&after=${next}`}`)
    const page: { workloads: { id: string; host: string; backends: string[] }[]; next?: string } = JSON.parse(body)
    for (const { id, host, backends } of page.workloads) all.set(id, { host, backends })
    next = page.next
  }
  agent.destroy()
  return all
}
