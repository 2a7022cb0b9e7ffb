import { X509Certificate } from 'node:crypto'
import { mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Draft } from '../../../core/index.ts'
import { chainFault } from '../../../lib/certificate-chain.ts'
import { files } from '../../../plugins/index.ts'
import {
  type Alone,
  type Authority,
  createAuthority,
  describeResolver,
  type Pair,
  type Root,
  setUpAlone,
  tempRoot,
} from '../../kit/index.ts'
import { makeCertificate } from '../../lib/make-certificate.ts'

let authority: Authority
beforeAll(async () => {
  authority = await createAuthority()
})
const write = async (folder: string, pair: Pick<Pair, 'chain' | 'key'>, name = 'site') => {
  await writeFile(join(folder, `${name}.key`), pair.key)
  await writeFile(join(folder, `${name}.pem`), pair.chain)
}
const at = (folder: string, name = 'site') => ({ certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) })

describeResolver('resolver/files', {
  resolver: async (root) => {
    await write(root, await authority.issue(['example.org', '*.shop.example.org']))
    await write(root, await authority.issue(['other.example']), 'other')
    return files([at(root), at(root, 'other')])
  },
  takes: [{ host: 'example.org' }, { host: 'a.shop.example.org' }, { host: 'other.example' }],
  leaves: [{ host: 'shop.example.org' }, { host: 'a.b.shop.example.org' }, { host: 'a.other.example' }, { host: 'example.com' }],
  refuses: ['example.com', 'a.b.shop.example.org', '*.example.org'],
  trust: () => authority.root,
})

describe('resolver/files', () => {
  let root: Root
  let alone: Alone<'resolver'>
  beforeEach(async () => {
    root = tempRoot('files')
    await write(root.path, await authority.issue(['example.org']))
    alone = await setUpAlone(files(at(root.path)), root.path)
  })
  afterEach(async () => {
    await alone.close()
    await root.remove()
  })
  const draft = (host: string) => ({ id: '1-2-a', tenant: '1', backends: [], passthrough: false, host }) as unknown as Draft
  const serial = async (names = ['example.org']) =>
    new X509Certificate((await alone.hooks.obtain?.(names, AbortSignal.timeout(30_000)))!.chain).serialNumber
  const serialOf = (pair: Pair) => new X509Certificate(pair.chain).serialNumber
  const degraded = () => expect.poll(() => alone.health(), { timeout: 20_000 })

  it('is not kept in the store', () => expect(alone.hooks).toMatchObject({ pace: 'instant', durable: false }))

  it('takes a certificate that is written in place', async () => {
    const next = await authority.issue(['example.org'])
    const refreshed = alone.refreshed()
    await write(root.path, next)
    await refreshed
    expect(await serial()).toBe(serialOf(next))
    expect(alone.health()).toEqual({ state: 'ok' })
  })

  it('takes a certificate that is moved into place', async () => {
    const next = await authority.issue(['example.org', 'www.example.org'])
    const refreshed = alone.refreshed()
    await write(root.path, next, 'new')
    await rename(at(root.path, 'new').key, at(root.path).key)
    await rename(at(root.path, 'new').certificate, at(root.path).certificate)
    await refreshed
    expect(await serial()).toBe(serialOf(next))
    expect(alone.hooks.plan(draft('www.example.org'))).toMatchObject({ names: ['www.example.org'] })
  })

  it('takes a certificate behind a link that is turned round', async () => {
    const linked = tempRoot('files-linked')
    const [first, second] = [await authority.issue(['example.org']), await authority.issue(['example.org'])]
    await write(linked.path, first, 'first')
    await write(linked.path, second, 'second')
    for (const end of ['pem', 'key']) await symlink(`first.${end}`, join(linked.path, `site.${end}`))
    const own = await setUpAlone(files(at(linked.path)), linked.path)
    const refreshed = own.refreshed()
    for (const end of ['key', 'pem']) {
      await symlink(`second.${end}`, join(linked.path, `new.${end}`))
      await rename(join(linked.path, `new.${end}`), join(linked.path, `site.${end}`))
    }
    await refreshed
    const got = (await own.hooks.obtain?.(['example.org'], AbortSignal.timeout(30_000)))!
    expect(new X509Certificate(got.chain).serialNumber).toBe(serialOf(second))
    await own.close()
    await linked.remove()
  })

  const broken: readonly (readonly [string, (folder: string) => Promise<unknown>, RegExp])[] = [
    ['half a file', (folder) => writeFile(at(folder).certificate, '-----BEGIN CERTIFICATE-----\nMIIB'), /no PEM certificate/],
    ['an empty file', (folder) => writeFile(at(folder).certificate, ''), /no PEM certificate/],
    [
      'a certificate that is none',
      (folder) => writeFile(at(folder).certificate, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
      /cannot be read/,
    ],
    [
      'another key',
      async (folder) => writeFile(at(folder).key, (await authority.issue(['example.org'])).key),
      /is not the key of/,
    ],
    ['a key that is none', (folder) => writeFile(at(folder).key, 'rubbish'), /no private key/],
    ['a file that is gone', (folder) => unlink(at(folder).key), /cannot read/],
    ['a certificate without a host', async (folder) => write(folder, await authority.issue(['192.0.2.1'])), /names no host/],
  ]
  it.each(broken)('keeps the old certificate and says why: %s', async (_, damage, why) => {
    const before = await serial()
    await damage(root.path)
    await degraded().toMatchObject({ state: 'degraded', reason: expect.stringMatching(why) })
    expect(await serial()).toBe(before)
    const refreshed = alone.refreshed()
    await write(root.path, await authority.issue(['example.org']))
    await refreshed
    expect(alone.health()).toEqual({ state: 'ok' })
    expect(await serial()).not.toBe(before)
  })
  it.each(broken)('does not start with it: %s', async (_, damage, why) => {
    await alone.close()
    await damage(root.path)
    await expect(setUpAlone(files(at(root.path)), root.path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(why),
    })
  })

  it('keeps the old certificate over a folder that goes and comes back', async () => {
    const before = await serial()
    const folder = join(root.path, 'deep')
    await mkdir(folder)
    await write(folder, await authority.issue(['deep.example']))
    const own = await setUpAlone(files(at(folder)), root.path)
    await rm(folder, { recursive: true })
    await expect.poll(() => own.health().state, { timeout: 20_000 }).toBe('degraded')
    expect(await own.hooks.obtain?.(['deep.example'], AbortSignal.timeout(30_000))).toBeDefined()
    const refreshed = own.refreshed()
    await mkdir(folder)
    await write(folder, await authority.issue(['deep.example']))
    await refreshed
    await expect.poll(() => own.health().state, { timeout: 20_000 }).toBe('ok')
    await own.close()
    expect(await serial()).toBe(before)
  })

  it('warns of a certificate that soon runs out, has run out, or stands in a wrong chain', async () => {
    await write(root.path, await authority.issue(['example.org'], 3))
    await degraded().toMatchObject({ state: 'degraded', reason: expect.stringContaining('expires on') })
    await write(root.path, await authority.issue(['example.org'], -0.01))
    await degraded().toMatchObject({ state: 'degraded', reason: expect.stringContaining('expired on') })
    const pair = await authority.issue(['example.org'])
    const stranger = await authority.issue(['stranger.example'])
    await write(root.path, { ...pair, chain: pair.chain + stranger.chain })
    await degraded().toMatchObject({ state: 'degraded', reason: expect.stringContaining('did not issue') })
    expect(await serial()).toBe(serialOf(pair))
    await write(root.path, { ...pair, chain: pair.chain + authority.root })
    await degraded().toEqual({ state: 'ok' })
  })

  it('serves a chain in the right order however the file has it, and warns of what clients refuse', async () => {
    const top = await makeCertificate('top', { ca: true })
    const middle = await top.issue('middle', { ca: true })
    const names = ['example.org']
    const leaf = await middle.issue('leaf', { names, issuerUrl: 'http://ca.example/middle.crt' })
    await write(root.path, { chain: leaf.pem + top.pem + middle.pem, key: leaf.key })
    await degraded().toMatchObject({ state: 'degraded', reason: expect.stringContaining('in the right order') })
    const got = await alone.hooks.obtain?.(['example.org'], AbortSignal.timeout(30_000))
    expect(got && chainFault(got.chain, got.key, names)).toBeUndefined()
    expect(got?.chain.match(/BEGIN/g)).toHaveLength(3)
    await write(root.path, { chain: leaf.pem, key: leaf.key })
    await degraded().toMatchObject({ state: 'degraded', reason: expect.stringContaining('lacks the certificate of its issuer') })
    const client = await middle.issue('leaf', { names, uses: ['1.3.6.1.5.5.7.3.2'] })
    await write(root.path, { chain: client.pem + middle.pem, key: client.key })
    await degraded().toMatchObject({ state: 'degraded', reason: expect.stringContaining('extended key usage') })
    const curve = await middle.issue('leaf', { names, algorithm: { name: 'ECDSA', namedCurve: 'P-384' } })
    await write(root.path, { chain: curve.pem + middle.pem, key: curve.key })
    await degraded().toEqual({ state: 'ok' })
  })

  it('prefers the certificate that names the host over one that has it by wildcard', async () => {
    const wild = await authority.issue(['*.example.org'])
    const exact = await authority.issue(['www.example.org'])
    await write(root.path, wild, 'wild')
    await write(root.path, exact, 'exact')
    const own = await setUpAlone(files([at(root.path, 'wild'), at(root.path, 'exact')]), root.path)
    expect(own.hooks.plan(draft('www.example.org'))).toMatchObject({ names: ['www.example.org'] })
    expect(own.hooks.plan(draft('api.example.org'))).toMatchObject({ names: ['*.example.org'] })
    const got = (await own.hooks.obtain?.(['www.example.org'], AbortSignal.timeout(30_000)))!
    expect(new X509Certificate(got.chain).serialNumber).toBe(serialOf(exact))
    await own.close()
  })

  it.each([[[]], [{}], [{ certificate: 'a.pem' }], [[{ certificate: 'a.pem', key: 1 }]], [[null]]])(
    'refuses %j where it is written',
    (options) => expect(() => files(options as never)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' })),
  )
})
