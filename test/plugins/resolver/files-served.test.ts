import { once } from 'node:events'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createGateway, type Op, parseOperation, type RunningGateway } from '../../../core/index.ts'
import { embedded, files, fqdnProxy, memory, staticNode } from '../../../plugins/index.ts'
import { type Authority, createAuthority, freePort, type Root, tempRoot } from '../../kit/index.ts'

let root: Root
let authority: Authority
let gateway: RunningGateway
let port: number
const at = (name: string) => join(root.path, name)

beforeEach(async () => {
  root = tempRoot('files-served')
  authority = await createAuthority()
  const { chain, key } = await authority.issue(['example.org'])
  await writeFile(at('site.pem'), chain)
  await writeFile(at('site.key'), key)
  port = await freePort()
  gateway = await createGateway(
    {
      plugins: [
        memory(),
        staticNode(),
        fqdnProxy(),
        files({ certificate: at('site.pem'), key: at('site.key') }),
        embedded({ http: { port: await freePort() }, https: { port } }),
      ],
    },
    { root: at('root') },
  )
  const op = parseOperation({ do: 'set-fqdn', id: '1-2-site', fqdn: 'example.org', backends: ['http://192.0.2.7'] })
  await gateway.dispatch(op as Op<'set-fqdn'>, { wait: 'live' })
})
afterEach(async () => {
  await gateway.close()
  await root.remove()
})

/** The fingerprint of the certificate that a client gets, or why it gets none. */
const served = async (): Promise<string> => {
  const client = connect({ port, host: '127.0.0.1', servername: 'example.org', ca: authority.root })
  try {
    await once(client, 'secureConnect')
    return client.getPeerCertificate().fingerprint256
  } catch (error) {
    return String(error)
  } finally {
    client.end()
  }
}
const health = () => gateway.status().plugins.find(({ name }) => name === 'resolver/files')

it('serves a changed certificate file, and the old one over a broken file', async () => {
  const first = await served()
  await writeFile(at('site.pem'), 'half a certi')
  await expect.poll(health, { timeout: 20_000 }).toMatchObject({ state: 'degraded', reason: expect.stringContaining('site.pem') })
  expect(await served()).toBe(first)

  const next = await authority.issue(['example.org'])
  await writeFile(at('new.key'), next.key)
  await writeFile(at('new.pem'), next.chain)
  await rename(at('new.key'), at('site.key'))
  await rename(at('new.pem'), at('site.pem'))
  await expect.poll(served, { timeout: 20_000 }).toBe(next.fingerprint)
  expect(health()).toMatchObject({ state: 'ok' })
  expect(gateway.certificates.list()).toMatchObject([{ resolver: 'files', names: ['example.org'], state: 'ready' }])
})
