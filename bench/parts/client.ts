import { Agent, request } from 'node:http'
import { connect } from 'node:tls'

/** The HTTP API of a gateway over its unix socket, kept open. */
export const api = (socketPath: string, parallel = 1) => {
  const agent = new Agent({ keepAlive: true, maxSockets: parallel })
  const ask = (method: 'PUT' | 'DELETE', id: string, body?: object) =>
    new Promise<void>((resolve, reject) => {
      const payload = body && JSON.stringify(body)
      const headers = payload ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) } : {}
      const asked = request({ agent, socketPath, method, path: `/v1/workloads/${id}`, headers }, (answer) => {
        let text = ''
        answer.on('data', (chunk) => {
          text += chunk
        })
        answer.on('end', () => {
          if ((answer.statusCode ?? 500) < 300) resolve()
          else reject(new Error(`${method} ${id}: ${answer.statusCode} ${text}`))
        })
      })
      asked.on('error', reject)
      asked.end(payload)
    })
  return {
    set: (id: string, name: string, backend: string) => ask('PUT', id, { name, backends: [backend] }),
    setDomain: (id: string, fqdn: string, backend: string) => ask('PUT', id, { fqdn, backends: [backend] }),
    delete: (id: string) => ask('DELETE', id),
    close: () => agent.destroy(),
  }
}

/** One GET over a new TLS connection, as a client that never was here; gives the status. Rejects where no answer comes. */
export const getOnce = (port: number, host: string, path = '/64') =>
  new Promise<number>((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername: host, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
    let answer = ''
    socket.setNoDelay(true)
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer in 10 s')))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('closed without an answer')))
    socket.on('secureConnect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`))
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      const end = answer.indexOf('\r\n\r\n')
      if (end < 0 || answer.length - end - 4 < Number(/^content-length: (\d+)/im.exec(answer)?.[1] ?? 0)) return
      resolve(Number(answer.slice(9, 12)))
      socket.destroy()
    })
  })

/** Asks until the host answers 200. Gives the milliseconds since `began`. */
export const untilServed = async (port: number, host: string, began: number): Promise<number> => {
  for (;;) {
    const status = await getOnce(port, host).catch(() => 0)
    if (status === 200) return performance.now() - began
    if (performance.now() - began > 120_000) throw new Error(`${host} is not served after two minutes: ${status}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
