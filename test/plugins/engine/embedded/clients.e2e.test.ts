import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'
import { expect, test } from 'vitest'
import { backend } from '../../../kit/engine/cases.ts'
import { defer, openWorld } from '../../../kit/engine/world.ts'
import { tempRoot } from '../../../kit/index.ts'
import { embeddedUnderTest } from './under-test.ts'

const open = openWorld(embeddedUnderTest)
const run = promisify(execFile)
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const parts = 100
/** Bytes that tell which part they are of, and where in it. */
const part = (number: number) => Buffer.from(Array.from({ length: 3_000 }, (_, at) => `${number}:${at}\n`).join(''))
const page = `<!doctype html><title>parts</title><script>
  const hex = async (bytes) => [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].map((b) => b.toString(16).padStart(2, '0')).join('')
  const get = async (at) => hex(await (await fetch('/part/' + at)).arrayBuffer())
  const all = () => Promise.all(Array.from({ length: ${parts} }, (_, at) => get(at)))
  const send = async (size) => {
    const bytes = new Uint8Array(size)
    for (let at = 0; at < size; at += 65536) crypto.getRandomValues(bytes.subarray(at, Math.min(size, at + 65536)))
    return { sent: await hex(bytes), came: await (await fetch('/hash', { method: 'POST', body: bytes })).text() }
  }
</script>`

const stand = async () => {
  const world = await open()
  const web = await backend((request, response) => {
    const [, kind, number] = (request.url ?? '').split('/')
    if (kind === 'part') return void response.end(part(Number(number)))
    if (kind !== 'hash') return void response.setHeader('content-type', 'text/html').end(page)
    const sum = createHash('sha256')
    request.on('data', (chunk: Buffer) => sum.update(chunk)).on('end', () => response.end(sum.digest('hex')))
  })
  await world.set('1-1-a', 'a.test', [web.url])
  const root = tempRoot('clients')
  defer(root.remove)
  const ca = join(root.path, 'ca.pem')
  writeFileSync(ca, world.authority.root)
  return { world, at: (name: string) => join(root.path, name), ca, port: world.where.https }
}

test('curl sends 20 MB over HTTP/2 and gets 100 answers at once on one connection, each byte for byte', async () => {
  const { at, ca, port } = await stand()
  const body = randomBytes(20_000_000)
  writeFileSync(at('body'), body)
  const how = ['-sS', '--http2', '--cacert', ca, '--resolve', `a.test:${port}:127.0.0.1`]
  const upload = await run('curl', [
    ...how,
    '--data-binary',
    `@${at('body')}`,
    '-w',
    ' %{http_version}',
    `https://a.test:${port}/hash`,
  ])
  expect(upload.stdout).toBe(`${hash(body)} 2`)
  const list = ['--parallel', '--parallel-max', '100', '-w', '%{http_version} %{http_code}\\n', '-o', at('part-#1')]
  const { stdout } = await run('curl', [...how, ...list, `https://a.test:${port}/part/[0-${parts - 1}]`])
  expect(stdout.trim().split('\n')).toEqual(Array.from({ length: parts }, () => '2 200'))
  for (let number = 0; number < parts; number++) expect(hash(readFileSync(at(`part-${number}`)))).toBe(hash(part(number)))
})

test('curl is served over each version of HTTP that it asks for, which it names in ALPN', async () => {
  const { ca, port } = await stand()
  const how = ['-sS', '--cacert', ca, '--resolve', `a.test:${port}:127.0.0.1`, '-w', ' %{http_code}']
  for (const version of ['--http1.0', '--http1.1', '--http2']) {
    const { stdout } = await run('curl', [...how, version, `https://a.test:${port}/part/7`])
    expect(stdout).toBe(`${part(7)} 200`)
  }
})

test('h2load has every request of its streams answered, with bodies and without', async () => {
  const { at, port } = await stand()
  writeFileSync(at('body'), randomBytes(100_000))
  // It asks for the host in the URL, by SNI too, and is told separately where that is.
  const how = ['-c', '4', '-m', '50', '--connect-to', `127.0.0.1:${port}`]
  for (const more of [
    ['-n', '4000', `https://a.test:${port}/part/7`],
    ['-n', '400', '-d', at('body'), `https://a.test:${port}/hash`],
  ]) {
    const { stdout } = await run('h2load', [...how, ...more])
    const count = more[1]
    expect(stdout).toContain('Application protocol: h2')
    expect(stdout).toContain(`${count} succeeded, 0 failed, 0 errored, 0 timeout`)
    expect(stdout).toContain(`status codes: ${count} 2xx, 0 3xx, 0 4xx, 0 5xx`)
  }
})

test('Chromium loads a page with 100 resources at once over HTTP/2 and sends 20 MB, byte for byte', async () => {
  const { port } = await stand()
  const rules = `--host-resolver-rules=MAP a.test 127.0.0.1:${port}`
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', rules] })
  defer(() => browser.close())
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  const tab = await context.newPage()
  await tab.goto('https://a.test/')
  expect(await tab.evaluate('all()')).toEqual(Array.from({ length: parts }, (_, number) => hash(part(number))))
  const { sent, came } = await tab.evaluate<{ sent: string; came: string }>('send(20_000_000)')
  expect(came).toBe(sent)
  const spoken = await tab.evaluate(
    '[...new Set(performance.getEntriesByType("resource").map((entry) => entry.nextHopProtocol))]',
  )
  expect(spoken).toEqual(['h2'])
})
