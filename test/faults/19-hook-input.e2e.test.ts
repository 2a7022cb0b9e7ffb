import { existsSync } from 'node:fs'
import fc from 'fast-check'
import { expect } from 'vitest'
import { hooked, name, told, value } from '../plugins/service/dns-hook-parts.ts'
import { fault } from './fault.ts'

/** Whatever the system lets into an argument: no NUL, and whole characters. */
const argument = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'))
const runs = 150

const hostile = [
  'x;rm -rf /',
  '-C/etc/passwd',
  '--help',
  '$(touch /tmp/gateway-hook-was-here)',
  '`touch /tmp/gateway-hook-was-here`',
  '_acme-challenge.gw.example.org.;touch /tmp/gateway-hook-was-here',
  '_acme-challenge.gw.example.org.\n_acme-challenge.evil.test.',
  '_acme-challenge..gw.example.org.',
  '_acme-challenge.gw.example.org.\u2028',
  `_acme-challenge.${'a'.repeat(64)}.gw.example.org.`,
  `_acme-challenge.${'a.'.repeat(200)}gw.example.org.`,
  '_acme-challenge.evil.test.',
  'gw.example.org.',
  '../../etc/passwd',
  '{{ env "PATH" }}',
  '',
]

const badValues = [
  `${value.slice(1)}/`,
  `${value.slice(1)}&`,
  `${value}\n`,
  `\n${value}`,
  value.slice(1),
  `${value}a`,
  `-C${value}`,
  '',
]

fault(19, 'the hook refuses a hostile name or value with exit code 2 and a sentence', async () => {
  await using at = await hooked()
  const requests = [...hostile.map((given) => [given, value] as const), ...badValues.map((given) => [name, given] as const)]
  for (const given of requests) {
    const program = at.run('present', ...given)
    expect([given, await program.ended]).toEqual([given, 2])
    expect(program.stderr).toMatch(/^gateway-dns-hook: (BAD_REQUEST|FORBIDDEN): .+\n$/)
    expect(program.stdout).toBe('')
  }
  expect(at.told).toEqual([])
  expect(existsSync('/tmp/gateway-hook-was-here')).toBe(false)
})

fault(19, 'a value that holds words of somebody’s template arrives as it was given', async () => {
  await using at = await hooked()
  for (const word of ['IP', 'TOKEN', 'DOMAIN', 'sed', '-e', '--']) {
    const given = word + value.slice(word.length)
    expect(await at.run('present', name, given).ended).toBe(0)
    expect(at.told.at(-1)).toBe(`present ${told} ${given}`)
  }
})

fault(19, 'arguments of any kind are data: what is not a whole request of ours ends with 2 and reaches nobody', async () => {
  await using at = await hooked()
  const verbs = fc.oneof(fc.constantFrom('present', 'cleanup', 'timeout', '--', '-C', 'PRESENT'), argument)
  const names = fc.oneof(
    fc.constantFrom(...hostile),
    argument,
    argument.map((text) => `_acme-challenge.${text}.gw.example.org.`),
  )
  const values = fc.oneof(
    argument,
    fc.string({ minLength: 43, maxLength: 43, unit: fc.constantFrom('a', 'Z', '-', '_', '/', '+', '=', '\n') }),
  )
  const request = fc.oneof(fc.array(argument, { maxLength: 5 }), fc.tuple(verbs, names, values))
  await fc.assert(
    fc.asyncProperty(request, async (args) => {
      const before = at.told.length
      const program = at.run(...args)
      const exit = await program.ended
      if (exit !== 0) {
        expect(exit).toBe(2)
        expect(program.stderr).toMatch(/^gateway-dns-hook: (BAD_REQUEST|FORBIDDEN): [^\n]+\n$/)
        expect(at.told.length).toBe(before)
      } else if (args[0] === 'timeout') expect([args.length, at.told.length]).toEqual([1, before])
      else {
        expect(at.told.slice(before)).toEqual([`${args[0]} ${args[1]?.toLowerCase().replace(/\.$/, '')} ${args[2]}`])
        expect(args[1]).toMatch(/^_acme-challenge\.([\w-]{1,63}\.)*gw\.example\.org\.?$/)
        expect(args[2]).toMatch(/^[\w-]{43}$/)
      }
    }),
    { numRuns: runs },
  )
})
