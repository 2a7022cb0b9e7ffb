import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError, isErrorCode, maxBackends, type Operation, parseId, parseOperation } from '../../core/index.ts'

const good = {
  do: 'set-fqdn',
  id: '40-1976-shop',
  fqdn: 'example.org',
  backends: ['http://192.0.2.7:9000'],
  passthrough: false,
}
const name = { do: 'set-name', id: '40-1976-shop', name: 'shop', backends: ['http://192.0.2.7:9000'] }

const errorOf = (input: unknown): GatewayError => {
  try {
    parseOperation(input)
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
  return expect.fail(`taken: ${JSON.stringify(input)}`)
}
const codes = (input: unknown): readonly string[] => errorOf(input).problems.map(({ code }) => code)

describe('parseOperation', () => {
  it('gives the four operations', () => {
    expect(parseOperation(good)).toEqual(good)
    expect(parseOperation(name)).toEqual({ ...name, passthrough: false })
    expect(parseOperation({ do: 'delete', id: '40-1976-shop' })).toEqual({ do: 'delete', id: '40-1976-shop' })
    expect(parseOperation({ do: 'metrics' })).toEqual({ do: 'metrics' })
  })

  it('gives host, name and backends in their canonical forms', () => {
    expect(parseOperation({ ...good, fqdn: 'EXAMPLE.Org.' })).toMatchObject({ fqdn: 'example.org' })
    expect(parseOperation({ ...name, name: 'SHOP' })).toMatchObject({ name: 'shop' })
    expect(parseOperation({ ...good, backends: ['HTTP://[2001:DB8:0::1]:080/'] })).toMatchObject({
      backends: ['http://[2001:db8::1]:80'],
    })
  })

  it('keeps the backends that dial the same only once, the first', () => {
    const backends = ['http://192.0.2.7', 'http://192.0.2.7:80', 'https://192.0.2.7:80', 'http://192.0.2.7:80/']
    expect(parseOperation({ ...good, backends })).toMatchObject({ backends: ['http://192.0.2.7', 'https://192.0.2.7:80'] })
    const passed = ['192.0.2.7:443', 'https://192.0.2.7:443', '[::ffff:192.0.2.7]:443']
    expect(parseOperation({ ...good, backends: passed, passthrough: true })).toMatchObject({ backends: ['192.0.2.7:443'] })
  })

  it('takes null for absent, and leaves out what it does not know', () => {
    expect(parseOperation({ ...good, passthrough: null, network: null, colour: 'red' })).toEqual(good)
    expect(parseOperation({ ...good, network: 'net_1' })).toEqual({ ...good, network: 'net_1' })
  })

  it('gives what nobody can change', () => {
    const operation = parseOperation(good)
    expect(Object.isFrozen(operation)).toBe(true)
    expect('backends' in operation && Object.isFrozen(operation.backends)).toBe(true)
  })

  it('names all that is wrong, not only the first', () => {
    expect(
      codes({ do: 'set-fqdn', id: '../x', fqdn: '127.0.0.1', backends: ['ftp://x', 3], passthrough: 'yes', network: 'a b' }),
    ).toEqual(['INVALID_ID', 'BAD_REQUEST', 'BAD_REQUEST', 'INVALID_FQDN'])
    expect(codes({ ...good, id: '', backends: ['10.0.0.1:80', 'http://10.0.0.1'], fqdn: 'a b' })).toEqual([
      'INVALID_ID',
      'INVALID_BACKEND',
      'INVALID_FQDN',
    ])
  })

  it('keeps the words of the reference', () => {
    expect(errorOf({ ...good, backends: [] }).message).toBe('backends list can not be empty')
    expect(errorOf({ ...good, backends: null }).message).toBe('backends list can not be empty')
    expect(errorOf({ ...good, id: 'a/b' }).message).toContain('invalid workload id')
    expect(errorOf({ ...good, fqdn: 'a b' }).message).toBe('fqdn a b is invalid')
    expect(errorOf({ ...name, name: 'a.b' }).message).toBe('name a.b is invalid')
    expect(errorOf({ ...good, backends: ['http://ip'] }).message).toContain("failed to validate backend 'http://ip'")
    expect(errorOf({ ...good, backends: ['ftp://1.1.1.1'] }).message).toContain('scheme expected to be http')
  })

  const wrong: readonly (readonly [string, unknown, string])[] = [
    ['nothing', undefined, 'BAD_REQUEST'],
    ['null', null, 'BAD_REQUEST'],
    ['a string', 'set-fqdn', 'BAD_REQUEST'],
    ['a list', [good], 'BAD_REQUEST'],
    ['no operation', {}, 'BAD_REQUEST'],
    ['another operation', { ...good, do: 'drop' }, 'BAD_REQUEST'],
    ['an inherited operation', Object.create(good), 'BAD_REQUEST'],
    ['an operation of another type', { ...good, do: 1 }, 'BAD_REQUEST'],
    ['no id', { ...good, id: undefined }, 'INVALID_ID'],
    ['an id of another type', { ...good, id: 7 }, 'BAD_REQUEST'],
    ['no fqdn', { ...good, fqdn: undefined }, 'INVALID_FQDN'],
    ['an fqdn of another type', { ...good, fqdn: {} }, 'BAD_REQUEST'],
    ['no name', { ...name, name: undefined }, 'INVALID_NAME'],
    ['a name of another type', { ...name, name: ['shop'] }, 'BAD_REQUEST'],
    ['backends of another type', { ...good, backends: 'http://192.0.2.7' }, 'BAD_REQUEST'],
    ['backends as an object', { ...good, backends: { 0: 'http://192.0.2.7' } }, 'BAD_REQUEST'],
    ['a backend of another type', { ...good, backends: [null] }, 'BAD_REQUEST'],
    ['an empty backend', { ...good, backends: [''] }, 'INVALID_BACKEND'],
    ['mixed forms', { ...good, backends: ['http://192.0.2.7', '192.0.2.7:80'] }, 'INVALID_BACKEND'],
    [
      'mixed forms for passthrough',
      { ...good, passthrough: true, backends: ['192.0.2.7:443', 'http://192.0.2.7'] },
      'INVALID_BACKEND',
    ],
    ['passthrough of another type', { ...good, passthrough: 'true' }, 'BAD_REQUEST'],
    ['a network of another type', { ...good, network: 1 }, 'BAD_REQUEST'],
    ['a network with a toString of its own', { ...good, network: { toString: 0 } }, 'BAD_REQUEST'],
    ['an empty network', { ...good, network: '' }, 'BAD_REQUEST'],
    ['a network of no such name', { ...good, network: '../x' }, 'BAD_REQUEST'],
    ['a network whose twin is not known', { ...good, id: 'shop', network: 'net' }, 'INVALID_ID'],
    ['an id that is a member of every object', { ...good, id: '__proto__' }, 'INVALID_ID'],
    ['another', { ...good, id: 'constructor' }, 'INVALID_ID'],
    ['delete of one', { do: 'delete', id: '__proto__' }, 'INVALID_ID'],
    ['delete without an id', { do: 'delete' }, 'INVALID_ID'],
    ['delete of a path', { do: 'delete', id: '../../etc/passwd' }, 'INVALID_ID'],
  ]
  it.each(wrong)('refuses %s', (_, input, code) => {
    const error = errorOf(input)
    expect(codes(input)).toEqual([code])
    expect(error.code).toBe(code)
    expect(error.fix).not.toBe('')
  })

  it(`takes ${maxBackends} backends and answers a thousand with one clear problem`, () => {
    const many = (count: number) => Array.from({ length: count }, (_, at) => `http://192.0.2.${at % 250}:${8_000 + at}`)
    expect(parseOperation({ ...good, backends: many(maxBackends) })).toMatchObject({ backends: { length: maxBackends } })
    const error = errorOf({ ...good, backends: many(1_000) })
    expect(error.problems).toHaveLength(1)
    expect(error.code).toBe('INVALID_BACKEND')
    expect(error.message).toContain('got 1000')
  })
  it('reports only the first few of many wrong backends', () => {
    const error = errorOf({ ...good, backends: new Array(60).fill('x') })
    expect(error.problems.length).toBeLessThan(12)
    expect(error.problems.at(-1)?.message).toContain('52 more')
  })

  it('faults 2 and 36: shows what it refuses escaped and cut', () => {
    const error = errorOf({ ...good, id: `\r\n\u001b[2J${'x'.repeat(5_000)}`, fqdn: '`)\u2028{{ env "PATH" }}' })
    expect(error.text).not.toMatch(/[\u0000-\u001f\u2028]/)
    expect(error.text.length).toBeLessThan(1_500)
  })
  it('fault 16: is not misled by __proto__', () => {
    const input: unknown = JSON.parse('{"__proto__":{"do":"metrics"},"id":"a"}')
    expect(codes(input)).toEqual(['BAD_REQUEST'])
    expect(codes(JSON.parse(`{"do":"delete","__proto__":{"id":"a"}}`))).toEqual(['INVALID_ID'])
  })
})

describe('parseOperation on arbitrary input', () => {
  const value = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'aZ09.-_`{}/\\ \n\u0000\u2028:[]') }), fc.anything())
  const input = fc.record(
    {
      do: fc.oneof({ weight: 8, arbitrary: fc.constantFrom('set-fqdn', 'set-name', 'delete', 'metrics') }, value),
      id: fc.oneof(fc.stringMatching(/^[\w./-]{0,140}$/), value),
      fqdn: fc.oneof(fc.domain(), fc.ipV4(), value),
      name: fc.oneof(fc.stringMatching(/^[\w.-]{0,70}$/), value),
      backends: fc.oneof(
        fc.array(
          fc.oneof(
            fc.webUrl(),
            fc.ipV4().map((ip) => `http://${ip}:80`),
            value,
          ),
          { maxLength: 5 },
        ),
        value,
      ),
      passthrough: fc.oneof(fc.boolean(), value),
      network: fc.oneof(fc.stringMatching(/^\w{1,60}$/), value),
    },
    { requiredKeys: ['do'] },
  )
  it('either gives an operation that it takes again as it is, or an error of known codes with something to do', () => {
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: input }, fc.anything()), (given) => {
        let operation: Operation
        try {
          operation = parseOperation(given)
        } catch (error) {
          if (!(error instanceof GatewayError)) throw error
          for (const { code, message, fix } of error.problems) {
            if (!isErrorCode(code) || message === '' || fix === '') expect.fail(`${code}: ${message} (${fix})`)
          }
          return
        }
        expect(parseOperation(operation)).toEqual(operation)
      }),
      { numRuns: 4_000 },
    )
  })
})

describe('parseId', () => {
  it('gives the id', () => expect(parseId('40-1976-shop')).toBe('40-1976-shop'))
  it.each(['', '../x', undefined, 7, 'x'.repeat(200)])('refuses %s', (id) => expect(() => parseId(id)).toThrow(GatewayError))
})
