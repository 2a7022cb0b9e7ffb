import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { errorCodes } from '../../core/errors.ts'

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((text) => [text.split('\n')[0] ?? '', text]),
)

test('docs/errors.md explains every code, and no other', () => {
  expect([...sections.keys()].sort()).toEqual(Object.keys(errorCodes).sort())
})

test.each(Object.entries(errorCodes))('docs/errors.md gives the status and exit code of %s', (code, { status, exit }) => {
  expect(sections.get(code)).toContain(`HTTP ${status}`)
  expect(page).toContain(`xit code ${exit}`)
})
