import { expect, test } from 'vitest'
import { ProofFailed } from '../../../../lib/acme/order.ts'
import { AcmeProblem, CaUnreachable, problemOf, retryAfter } from '../../../../lib/acme/problem.ts'
import { saidBy } from '../../../../plugins/service/acme/said.ts'

const directory = 'https://ca.example/dir'

test.each([
  [new CaUnreachable('certificate is not yet valid'), 'CA_UNREACHABLE', /clock of this machine/],
  [new CaUnreachable('connect ECONNREFUSED'), 'CA_UNREACHABLE', /URL of the CA/],
  [new AcmeProblem('rateLimited', 429, 'too many', new Date(5)), 'CA_LIMIT', /wait/],
  [new AcmeProblem('rejectedIdentifier', 400, 'policy forbids'), 'NAME_BLOCKED', /another name/],
  [new AcmeProblem('externalAccountRequired', 401, 'bind'), 'EAB_INVALID', /eab/],
  [new AcmeProblem('caa', 403, 'CAA'), 'CAA_FORBIDS', /CAA records/],
  [new AcmeProblem('badCSR', 400, 'weak key'), 'CA_REFUSED', /mend/],
  [new ProofFailed('shop.example', new AcmeProblem('connection', 400, 'refused')), 'CHALLENGE_FAILED', /port 80/],
] as const)('%s has a code and something to do', (error, code, fix) => {
  expect(saidBy(directory, error)).toMatchObject({
    code,
    fix: expect.stringMatching(fix),
    message: expect.stringContaining('ca.example'),
  })
})

test('a time to come back goes along, and what is no word of a CA passes as it is', () => {
  expect(saidBy(directory, new AcmeProblem('rateLimited', 429, 'too many', new Date(5)))).toMatchObject({ retryAt: new Date(5) })
  const other = new Error('of ours')
  expect(saidBy(directory, other)).toBe(other)
})

test('what a CA writes becomes one line of plain text', () => {
  const { message } = problemOf({ type: 'urn:ietf:params:acme:error:malformed', detail: 'a\r\n\u001b[2Jb\u2028c' }, 400)
  expect(message).toBe('a [2Jb c')
})

test.each([
  ['120', 120_000],
  ['Thu, 01 Jan 1970 00:02:00 GMT', 120_000],
  ['99999999', 7 * 86_400_000],
  ['-5', undefined],
  ['soon', undefined],
])('Retry-After %s is read', (field, at) => {
  expect(retryAfter(field, 0)?.getTime()).toBe(at)
})
