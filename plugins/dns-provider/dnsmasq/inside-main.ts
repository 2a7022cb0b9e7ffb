// Asks name servers from the network namespace that this process runs in: node inside-main.ts <socket>
import { chmod, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { member } from '../../../lib/dns/call.ts'
import { serveOn } from '../../../lib/serve-on.ts'
import { lookHere } from './inside.ts'

const [path] = process.argv.slice(2)
if (path === undefined) throw new Error('usage: inside-main.ts <socket>')

const longest = 4_096

/** A line that is no question is answered too, by which the gateway sees that this process is there. */
const answer = async (line: string): Promise<object> => {
  const asked: unknown = JSON.parse(line)
  const [host, port, name, timeout] = [
    member(member(asked, 'server'), 'host'),
    member(member(asked, 'server'), 'port'),
    member(asked, 'name'),
    member(asked, 'timeout'),
  ]
  const type = member(asked, 'type') === 'SOA' ? 'SOA' : 'TXT'
  const over = member(asked, 'over') === 'tcp' ? 'tcp' : 'udp'
  if (typeof host !== 'string' || typeof port !== 'number' || typeof name !== 'string' || typeof timeout !== 'number') return {}
  return lookHere({ server: { host, port }, name, type, over, timeout }, AbortSignal.timeout(timeout))
}

const server = createServer((socket) => {
  let got = ''
  socket.setEncoding('utf8')
  socket.on('error', () => socket.destroy())
  socket.setTimeout(10_000, () => socket.destroy())
  socket.on('data', async (text) => {
    got += text
    if (got.length > longest) return void socket.destroy()
    if (!got.endsWith('\n')) return
    // One question a connection.
    socket.removeAllListeners('data')
    const said = await answer(got).catch((error: Error) => ({ failed: error.message }))
    socket.end(JSON.stringify(said))
  })
})
await rm(path, { force: true })
const before = process.umask(0o177)
server.listen(path, () => {
  process.umask(before)
  void chmod(path, 0o600)
  serveOn()
})
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0))
