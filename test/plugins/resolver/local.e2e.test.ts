import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Certificate } from '../../../core/index.ts'
import { localCa } from '../../../plugins/index.ts'
import { setUpAlone, tempRoot } from '../../kit/index.ts'

const run = promisify(execFile)

describe('certificates of resolver/local', () => {
  const root = tempRoot('local-ca')
  const ca = join(root.path, 'ca', 'root.pem')
  const leaf = join(root.path, 'leaf.pem')
  const names = ['*.gw.localhost', 'gw.localhost']
  let certificate: Certificate
  beforeAll(async () => {
    const { hooks } = await setUpAlone(localCa(), root.path)
    certificate = (await hooks.obtain?.(names, AbortSignal.timeout(60_000)))!
    await writeFile(leaf, certificate.chain)
  })
  afterAll(() => root.remove())

  it.each(['shop.gw.localhost', 'gw.localhost'])('are taken by openssl for %s, by its strictest rules', async (host) => {
    const { stdout } = await run('openssl', [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-verify_hostname',
      host,
      '-CAfile',
      ca,
      leaf,
    ])
    expect(stdout).toContain(': OK')
  })

  it('are refused by openssl for a name that they do not have', async () => {
    await expect(run('openssl', ['verify', '-verify_hostname', 'a.b.gw.localhost', '-CAfile', ca, leaf])).rejects.toThrow(
      /hostname mismatch/i,
    )
  })

  it('have the fields of RFC 5280', async () => {
    const { stdout } = await run('openssl', ['x509', '-in', leaf, '-noout', '-text'])
    expect(stdout).toMatch(/Basic Constraints: critical\s+CA:FALSE/)
    expect(stdout).toMatch(/Key Usage: critical\s+Digital Signature\n/)
    expect(stdout).toMatch(/Extended Key Usage:\s+TLS Web Server Authentication/)
    expect(stdout).toMatch(/Authority Key Identifier/)
    expect(stdout).toMatch(/Subject Key Identifier/)
    const text = (await run('openssl', ['x509', '-in', ca, '-noout', '-text'])).stdout
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/)
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/)
    const id = (of: string, kind: string) => new RegExp(`${kind} Key Identifier:\\s+(?:keyid:)?([0-9A-F:]+)`).exec(of)?.[1]
    expect(id(stdout, 'Authority')).toBe(id(text, 'Subject'))
  })

  it('are taken by curl with --cacert, and by Go, over a connection', async () => {
    const server = createServer({ cert: certificate.chain, key: certificate.key }, (_, response) => response.end('served'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      const url = `https://shop.gw.localhost:${port}/`
      const { stdout } = await run('curl', [
        '-sS',
        '--noproxy',
        '*',
        '--max-time',
        '20',
        '--resolve',
        `shop.gw.localhost:${port}:127.0.0.1`,
        '--cacert',
        ca,
        url,
      ])
      expect(stdout).toBe('served')
      const go = await run('go', [
        'run',
        join(import.meta.dirname, 'testdata', 'dial.go'),
        ca,
        `127.0.0.1:${port}`,
        'shop.gw.localhost',
        'gw.localhost',
        'a.b.gw.localhost',
      ])
      expect(go.stdout.trim().split('\n')).toEqual([
        'ok',
        'ok',
        expect.stringContaining('certificate is valid for *.gw.localhost, gw.localhost, not'),
      ])
    } finally {
      server.close()
    }
  })
})
