import { createServer } from 'node:net'

/**
 * A TCP port that nobody listens on now, on 127.0.0.1 and on ::1. Taken below the range that systems give to outgoing connections,
 * so that none of those takes it before the caller listens; every call of a process gives another one.
 */
export const freePort = async (): Promise<number> => {
  for (let tries = 0; tries < 200; tries++) {
    const port = first + (next++ % count)
    if ((await canListen(port, '127.0.0.1')) && (await canListen(port, '::1'))) return port
  }
  throw new Error(`no free port between ${first} and ${first + count}`)
}

const first = 12_000
const count = 18_000
let next = (process.pid * 97) % count

const canListen = (port: number, host: string) =>
  new Promise<boolean>((done) => {
    const server = createServer()
    // A machine without IPv6 has no such address: that port is as good as free.
    server.once('error', ({ code }: NodeJS.ErrnoException) => done(code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT'))
    server.listen({ port, host, exclusive: true }, () => server.close(() => done(true)))
  })
