import type { ArgsDef } from 'citty'
import { describe, expect, test } from 'vitest'
import { checkArgs } from '../../cli/check-args.ts'

const args: ArgsDef = {
  id: { type: 'positional', required: true },
  backend: { type: 'positional', required: true },
  root: { type: 'string' },
  kind: { type: 'enum', options: ['a', 'b'] },
  follow: { type: 'boolean', alias: 'f' },
}
const check =
  (line: string, repeats = false) =>
  () =>
    checkArgs(line === '' ? [] : line.split(' '), args, 'gateway x', repeats)

describe('checkArgs', () => {
  test.each(['', 'a b', '-f a', 'a --follow b', '--root /x a b', '--root=/x=y a', '--kind a', '-- -a -b', 'a -'])(
    'takes %j',
    (line) => {
      expect(check(line)).not.toThrow()
    },
  )

  test.each([
    ['--folow', 'unknown flag --folow', 'did you mean --follow? see `gateway x --help`'],
    ['--rot=/x', 'unknown flag --rot', 'did you mean --root?'],
    ['-x', 'unknown flag -x', 'see `gateway x --help`'],
    ['-ff', 'unknown flag -ff', 'see'],
    ['--constructor', 'unknown flag --constructor', 'see'],
    ['--no-follow', 'unknown flag --no-follow', 'see'],
    ['--root', '--root needs a value', 'see'],
    ['--root --follow', '--root needs a value', 'see'],
    ['--root= a', '--root needs a value', 'see'],
    ['--follow=yes', '--follow takes no value', 'see'],
    ['a b c', 'gateway x takes 2 words, not 3', 'see'],
    ['a -- -b c', 'gateway x takes 2 words, not 3', 'see'],
  ])('refuses %j: %s', (line, message, fix) => {
    expect(check(line)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST', message, fix: expect.stringContaining(fix) }))
  })

  test('the last word may repeat where the command says so', () => {
    expect(check('a b c d', true)).not.toThrow()
  })
})
