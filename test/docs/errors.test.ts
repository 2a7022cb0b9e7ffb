import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { errorCodes } from '../../core/errors.ts'

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
/** Each code's section, with the exit code of its chapter where it names none of its own. */
const sections = new Map(
  page.split(/^## /m).flatMap((chapter) => {
    const [intro = '', ...codes] = chapter.split(/^### /m)
    return codes.map((text) => [text.split('\n')[0] ?? '', /exit code \d+/i.test(text) ? text : `${text}${intro}`] as const)
  }),
)

test('docs/errors.md explains every code, and no other', () => {
  expect([...sections.keys()].sort()).toEqual(Object.keys(errorCodes).sort())
})

test.each(Object.entries(errorCodes))('docs/errors.md gives the status and exit code of %s', (code, { status, exit }) => {
  expect(sections.get(code)).toContain(`HTTP ${status}`)
  expect(/exit code (\d+)/i.exec(sections.get(code) ?? '')?.[1]).toBe(String(exit))
})
