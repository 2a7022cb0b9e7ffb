import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { openTls } from '../kit/clients/socket.ts'
import { defer, type World } from '../kit/engine/world.ts'
import { h2specPath } from '../kit/programs.ts'
import { tempRoot } from '../kit/root.ts'

export interface Report {
  readonly run: number
  /** By section and sentence. */
  readonly failed: readonly string[]
  readonly skipped: readonly string[]
}

/** Runs all of h2spec, its strict cases too, on connections that ask for `host`. It speaks in the clear to a relay that does the TLS, since it has no option for the name. */
export const h2spec = async (world: World, host: string): Promise<Report> => {
  const relay = createServer(async (plain) => {
    plain.on('error', () => undefined)
    const secure = await openTls({ port: world.where.https }, { name: host, ca: world.authority.root, alpn: ['h2'] })
    plain.on('close', () => secure.destroy())
    secure.on('close', () => plain.destroySoon())
    plain.pipe(secure).pipe(plain)
  })
  await new Promise<void>((listening) => relay.listen(0, '127.0.0.1', listening))
  const folder = tempRoot()
  defer(() => Promise.all([folder.remove(), new Promise((closed) => relay.close(closed))]))
  const address = relay.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const file = join(folder.path, 'report.xml')
  const args = ['--strict', '--host', '127.0.0.1', '--port', String(port), '--timeout', '5', '--junit-report', file]
  await new Promise<void>((done) => execFile(h2specPath(), [...args, 'generic', 'http2', 'hpack'], () => done()))
  return read(await readFile(file, 'utf8'))
}

const read = (report: string): Report => {
  const all = [...report.matchAll(/<testcase package="([^"]*)" classname="([^"]*)"[^>]*>([\s\S]*?)<\/testcase>/g)]
  const those = (mark: RegExp) =>
    all.filter(([, , , body = '']) => mark.test(body)).map(([, section, sentence]) => unescaped(`${section}: ${sentence}`))
  return { run: all.length, failed: those(/<failure|<error/), skipped: those(/<skipped/) }
}

const unescaped = (text: string) => text.replaceAll('&#34;', '"').replaceAll('&quot;', '"').replaceAll('&amp;', '&')
