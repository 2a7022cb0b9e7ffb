import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Certificate } from 'zos-gateway'
import { describeResolver, setUpAlone, tempRoot } from 'zos-gateway/test-kit'
import { vaultStyle } from '../src/index.ts'
import { startCa } from './server.ts'

const token = 'a-token-that-nobody-may-read-in-a-log'
const root = tempRoot('vault-style')
const tokenFile = join(root.path, 'token')
writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 })
const ca = await startCa(token)
afterAll(async () => {
  await ca.close()
  await root.remove()
})
const make = (options: Partial<Parameters<typeof vaultStyle>[0]> = {}) =>
  vaultStyle({ url: ca.url, tokenFile, domain: 'internal.example.org', ...options })

describeResolver('resolver/vault-style', {
  resolver: () => make(),
  takes: [{ host: 'shop.internal.example.org' }, { host: 'a.b.internal.example.org' }],
  leaves: [{ host: 'shop.example.org' }, { host: 'evilinternal.example.org' }, { host: 'internal.example.org' }],
  refuses: ['shop.example.org'],
  trust: () => ca.root,
})

describe('what may be wrong', () => {
  const refusal = async (options: Partial<Parameters<typeof vaultStyle>[0]> = {}) => {
    const alone = await setUpAlone(make(options), root.path)
    const asked: Promise<Certificate> | undefined = alone.hooks.obtain?.(
      ['shop.internal.example.org'],
      AbortSignal.timeout(20_000),
    )
    const error = await asked?.then(
      () => expect.fail('it was not refused'),
      (refused) => refused,
    )
    await alone.close()
    return error
  }

  it('is told with a code and what to do, and without the token', async () => {
    const wrong = join(root.path, 'wrong')
    writeFileSync(wrong, 'another-token')
    const error = await refusal({ tokenFile: wrong })
    expect(error).toMatchObject({
      code: 'CA_REFUSED',
      message: expect.stringContaining('401'),
      fix: expect.stringContaining('token'),
    })
    expect(JSON.stringify([error.message, error.fix])).not.toContain('another-token')
  })
  it('is told of a CA that is not there', async () =>
    expect(await refusal({ url: 'http://127.0.0.1:9' })).toMatchObject({ code: 'CA_UNREACHABLE' }))
  it.each([
    [201, '{}'],
    [201, 'half an ans'],
    [201, '{"crt":7}'],
    [503, 'away'],
    [200, '<html>'],
  ])('is told of an answer %i %s', async (status, body) => {
    ca.answer = { status, body }
    expect(await refusal()).toMatchObject({ code: 'CA_REFUSED' })
    delete ca.answer
  })
  it.each([{ url: 'ca.internal' }, { url: 'ftp://ca.internal' }, { domain: '' }, { domain: 'org' }])(
    'is told where it is written: %j',
    (options) => expect(() => make(options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' })),
  )
})
