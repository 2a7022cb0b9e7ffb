import { decode as decodeAny } from '@msgpack/msgpack'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseStrictJson } from '../../lib/strict-json.ts'
import { encode, readRequest } from '../../lib/zbus/index.ts'
import { patience, property, runs } from './runs.ts'

/** Some bytes changed, put in, taken out or cut off. */
const mutated = <T extends Uint8Array>(bytes: fc.Arbitrary<T>) =>
  fc
    .tuple(
      bytes,
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.constantFrom('set', 'insert', 'remove', 'cut')), { maxLength: 4 }),
    )
    .map(([whole, changes]) => {
      let all = [...whole]
      for (const [place, byte, how] of changes) {
        const at = all.length === 0 ? 0 : place % all.length
        if (how === 'cut') all = all.slice(0, at)
        else all.splice(at, how === 'insert' ? 0 : 1, ...(how === 'remove' ? [] : [byte]))
      }
      return Uint8Array.from(all)
    })

const text = fc.oneof(fc.string({ maxLength: 12 }), fc.constant(''))
/** A field as Go may send it, with what it is read as; undefined where its type is wrong. */
const asText = fc.oneof(
  { weight: 6, arbitrary: text.map((value) => ({ sent: value as unknown, read: value as string | undefined })) },
  {
    weight: 2,
    arbitrary: text.map((value) => ({
      sent: new TextEncoder().encode(value),
      read: new TextDecoder().decode(new TextEncoder().encode(value)),
    })),
  },
  fc.constant({ sent: null, read: '' }),
  fc.oneof(fc.integer(), fc.boolean(), fc.constant({}), fc.constant([])).map((sent) => ({ sent, read: undefined })),
)
const input = fc.uint8Array({ maxLength: 8 })
// `encode` refuses integers that a number may not hold exactly.
const jsonOfSafeIntegers = fc
  .jsonValue({ maxDepth: 3 })
  .map((value): unknown =>
    JSON.parse(JSON.stringify(value), (_, each) => (Number.isInteger(each) && !Number.isSafeInteger(each) ? 0.5 : each)),
  )
const requests = fc.record({
  id: asText,
  replyTo: asText,
  method: asText,
  inputs: fc.array(input, { maxLength: 5 }),
  object: fc.record({ Name: text, Version: text }),
  more: fc.dictionary(
    fc.string({ minLength: 1, maxLength: 4 }).filter((key) => key !== '__proto__'),
    jsonOfSafeIntegers,
    { maxKeys: 3 },
  ),
  order: fc.infiniteStream(fc.nat()),
})

describe(`${runs} cases`, () => {
  it(
    'of zbus requests are read as they were meant, in any order of keys, or refused',
    () => {
      property(requests, ({ id, replyTo, method, inputs, object, more, order }) => {
        const fields: Record<string, unknown> = {
          ...more,
          ID: id.sent,
          ReplyTo: replyTo.sent,
          Method: method.sent,
          Inputs: inputs,
          Object: object,
        }
        const shuffled = Object.entries(fields)
          .map((entry) => [order.next().value ?? 0, entry] as const)
          .sort(([a], [b]) => a - b)
          .map(([, entry]) => entry)
        const { request } = readRequest(encode(Object.fromEntries(shuffled)))
        const bad = [id.read, replyTo.read, method.read].includes(undefined) || replyTo.read === ''
        const meant = {
          id: id.read,
          replyTo: replyTo.read,
          method: method.read,
          inputs,
          object: { name: object.Name, version: object.Version },
        }
        expect(request).toEqual(bad ? undefined : meant)
      })
    },
    patience,
  )

  it(
    'of damaged zbus requests never throw, and what is taken is whole MessagePack',
    () => {
      const whole = requests.map(({ id, replyTo, method, inputs, object, more }) =>
        encode({ ...more, ID: id.sent, Inputs: inputs, Object: object, ReplyTo: replyTo.sent, Method: method.sent }),
      )
      property(fc.oneof({ weight: 9, arbitrary: mutated(whole) }, fc.uint8Array({ maxLength: 60 })), (bytes) => {
        const { request } = readRequest(bytes)
        if (!request) return
        try {
          decodeAny(bytes)
        } catch (error) {
          // Go skips a key that it does not know, whatever it is.
          if (!/__proto__|key must be|map key|The type of key/i.test(String(error))) throw error
        }
      })
    },
    patience,
  )

  it(
    'of JSON are taken where no key stands twice, none is __proto__ and at most 16 levels are open',
    () => {
      property(tree, (node) => {
        const written = write(node)
        expect([written, accepts(written)]).toEqual([written, isStrict(node, 1)])
      })
    },
    patience,
  )

  it(
    'of damaged JSON are refused, or read as any parser reads them',
    () => {
      const damaged = mutated(tree.map((node) => new TextEncoder().encode(write(node))))
      property(damaged, (bytes) => {
        const written = new TextDecoder().decode(bytes)
        if (accepts(written)) expect(parseStrictJson(written)).toEqual(JSON.parse(written))
      })
    },
    patience,
  )
})

type Node = { kind: 'leaf'; value: unknown } | { kind: 'list'; items: Node[] } | { kind: 'map'; pairs: [string, Node][] }
const keys = fc.oneof(fc.constantFrom('a', 'b', 'id', 'fqdn', '__proto__', '"', '\\', '\u2028'), fc.string({ maxLength: 5 }))
const leaf = fc
  .oneof(fc.string({ maxLength: 6 }), fc.integer(), fc.boolean(), fc.constant(null))
  .map((value): Node => ({ kind: 'leaf', value }))
const { tree: shallow } = fc.letrec<{ tree: Node }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    leaf,
    fc.array(tie('tree'), { maxLength: 3 }).map((items): Node => ({ kind: 'list', items })),
    fc.array(fc.tuple(keys, tie('tree')), { maxLength: 4 }).map((pairs): Node => ({ kind: 'map', pairs })),
  ),
}))
const deep = fc
  .tuple(shallow, fc.array(fc.boolean(), { minLength: 8, maxLength: 20 }))
  .map(([inner, levels]) =>
    levels.reduce<Node>((node, list) => (list ? { kind: 'list', items: [node] } : { kind: 'map', pairs: [['k', node]] }), inner),
  )
const tree = fc.oneof({ weight: 3, arbitrary: shallow }, deep)

/** Every other key is written in escapes: it is the same key. */
const write = (node: Node): string => {
  switch (node.kind) {
    case 'leaf':
      return JSON.stringify(node.value)
    case 'list':
      return `[${node.items.map(write).join(' ,\n')}]`
    case 'map':
      return `{${node.pairs.map(([key, value], at) => `${at % 2 ? escaped(key) : JSON.stringify(key)} :\t${write(value)}`).join(',')}}`
  }
}
const escaped = (key: string) =>
  `"${Array.from({ length: key.length }, (_, at) => `\\u${key.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
const isStrict = (node: Node, level: number): boolean => {
  if (node.kind === 'leaf') return true
  if (level > 16) return false
  if (node.kind === 'list') return node.items.every((item) => isStrict(item, level + 1))
  const names = node.pairs.map(([key]) => key)
  if (new Set(names).size < names.length || names.includes('__proto__')) return false
  return node.pairs.every(([, value]) => isStrict(value, level + 1))
}
const accepts = (written: string): boolean => {
  try {
    parseStrictJson(written)
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}
