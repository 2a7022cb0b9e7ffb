import { createPublicKey, X509Certificate } from 'node:crypto'
import { mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { localCa } from '../../../plugins/index.ts'
import { type Alone, describeResolver, type Root, setUpAlone, tempRoot } from '../../kit/index.ts'

describeResolver('resolver/local', {
  resolver: () => localCa(),
  takes: [
    { host: 'shop.gw.localhost', zone: 'gw.localhost' },
    { host: 'example.org' },
    { host: 'a_b.example.org' },
    { host: `${'a'.repeat(60)}.${'b'.repeat(60)}.example.org` },
  ],
  trust: (root) => readFile(join(root, 'ca', 'root.pem'), 'utf8'),
})

describe('resolver/local', () => {
  let root: Root
  let alone: Alone<'resolver'>
  beforeEach(async () => {
    root = tempRoot('local-ca')
    alone = await setUpAlone(localCa(), root.path)
  })
  afterEach(async () => {
    await alone.close()
    await root.remove()
  })
  const file = (name: string) => join(root.path, 'ca', name)
  const obtain = async (names: readonly string[], from = alone) =>
    (await from.hooks.obtain?.(names, AbortSignal.timeout(30_000)))!

  it('shares one certificate among the names of the gateway', () => {
    const draft = { id: '1-2-a', tenant: '1', backends: [], passthrough: false, zone: 'gw.localhost' } as never
    const names = (host: string) => alone.hooks.plan({ ...(draft as object), host } as never)
    expect(names('a.gw.localhost')).toEqual(names('b.gw.localhost'))
    expect(names('a.gw.localhost')).toMatchObject({ names: ['*.gw.localhost', 'gw.localhost'] })
  })

  it('makes nothing before the first certificate', async () => {
    await expect(stat(join(root.path, 'ca'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('makes one root for all who ask at once, and tells where it is', async () => {
    const made = await Promise.all(['a.org', 'b.org', 'c.org', 'd.org'].map((name) => obtain([name])))
    const ca = new X509Certificate(await readFile(file('root.pem')))
    for (const { chain } of made) expect(new X509Certificate(chain).verify(createPublicKey(ca.toString()))).toBe(true)
    expect(alone.log).toHaveLength(1)
  })

  it('makes many that are asked for together, each with a key of its own, and drops those whose asker went away', async () => {
    const gone = AbortSignal.abort(new Error('went away'))
    const asked = Array.from({ length: 40 }, (_, at) =>
      alone.hooks.obtain?.([`h${at}.org`], at % 4 === 0 ? gone : AbortSignal.timeout(30_000)),
    )
    const answers = await Promise.allSettled(asked)
    expect(answers.filter(({ status }) => status === 'rejected')).toHaveLength(10)
    expect(new Set(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value?.key : 'none'))).size).toBe(31)
  })

  it('makes certificates as RFC 5280 and browsers want them', async () => {
    const { chain } = await obtain(['*.gw.localhost', 'gw.localhost'])
    const leaf = new X509Certificate(chain)
    const ca = new X509Certificate(await readFile(file('root.pem')))
    expect(leaf.subjectAltName).toBe('DNS:*.gw.localhost, DNS:gw.localhost')
    expect(leaf.ca).toBe(false)
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(leaf.checkIssued(ca)).toBe(true)
    expect(leaf.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
    expect(leaf.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
    expect(leaf.validFromDate.getTime()).toBeLessThan(Date.now() - 3_000_000)
    expect((leaf.validToDate.getTime() - leaf.validFromDate.getTime()) / 86_400_000).toBe(90)
    expect(ca.ca).toBe(true)
    const other = new X509Certificate((await obtain(['*.gw.localhost', 'gw.localhost'])).chain)
    expect(other.serialNumber).not.toBe(leaf.serialNumber)
  })

  it('fault 37: keeps the key to itself whatever the umask is', async () => {
    const mask = process.umask(0)
    try {
      await obtain(['a.org'])
    } finally {
      process.umask(mask)
    }
    expect((await stat(file('root.key'))).mode & 0o777).toBe(0o600)
    expect((await stat(file('root.pem'))).mode & 0o777).toBe(0o644)
    expect((await stat(join(root.path, 'ca'))).mode & 0o777).toBe(0o700)
  })

  it('fault 1: goes on with the key where a crash came between key and certificate', async () => {
    await obtain(['a.org'])
    const key = await readFile(file('root.key'), 'utf8')
    await unlink(file('root.pem'))
    const again = await setUpAlone(localCa(), root.path)
    const { chain } = await obtain(['a.org'], again)
    expect(await readFile(file('root.key'), 'utf8')).toBe(key)
    expect(new X509Certificate(chain).checkIssued(new X509Certificate(await readFile(file('root.pem'))))).toBe(true)
  })

  const damages: readonly (readonly [string, () => Promise<void>])[] = [
    ['a lost key', () => unlink(file('root.key'))],
    [
      'a key of another root',
      async () => {
        const other = tempRoot('other-ca')
        await obtain(['a.org'], await setUpAlone(localCa(), other.path))
        await writeFile(file('root.key'), await readFile(join(other.path, 'ca', 'root.key')))
        await other.remove()
      },
    ],
    ['a key that is none', () => writeFile(file('root.key'), 'rubbish')],
    ['an empty certificate', () => writeFile(file('root.pem'), '')],
    ['a leaf in place of the root', async () => writeFile(file('root.pem'), (await obtain(['a.org'])).chain)],
  ]
  it.each(damages)('fault 32: replaces no root in silence: %s', async (_, damage) => {
    await obtain(['a.org'])
    await damage()
    const before = await readFile(file('root.pem'), 'utf8')
    const again = await setUpAlone(localCa(), root.path)
    await expect(obtain(['a.org'], again)).rejects.toMatchObject({
      code: 'ROOT_UNUSABLE',
      fix: expect.stringContaining('backup'),
    })
    expect(again.health().state).toBe('down')
    expect(await readFile(file('root.pem'), 'utf8')).toBe(before)
  })

  it('says what hinders it and goes on when that is mended', async () => {
    await writeFile(join(root.path, 'ca'), 'a file where the folder is to be')
    await expect(obtain(['a.org'])).rejects.toMatchObject({ code: expect.stringMatching(/^(ROOT_UNUSABLE|STORAGE)$/) })
    expect(alone.health().state).toBe('down')
    await unlink(join(root.path, 'ca'))
    await mkdir(join(root.path, 'ca'), { mode: 0o700 })
    await obtain(['a.org'])
    expect(alone.health().state).toBe('ok')
  })

  it.each([0, 398, 1.5, Number.NaN])('refuses to live %s days where that is written', (days) =>
    expect(() => localCa({ days })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' })),
  )
})
