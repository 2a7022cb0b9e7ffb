import { expect, test } from 'vitest'
import { cannot as traefik } from '../../plugins/engine/traefik/cannot.ts'
import { themes } from '../kit/engine/themes.ts'

/** What each engine cannot; the conformance suite fails where that is not so. */
const engines: Readonly<Record<string, Readonly<Record<string, string>>>> = { embedded: {}, traefik }

// `npm run engines-table` runs the suite on every engine and writes the page anew.
test('docs/engines.md says what each engine can', async () => {
  await expect(page()).toMatchFileSnapshot('../../docs/engines.md')
})

const page = () => `# What each engine can

Every engine runs the same [conformance suite](test-kit.md), over real sockets. This page is written by \`npm run engines-table\` from its run: a case that an engine is said not to do is run all the same, and has to fail.

${Object.entries(themes)
  .map(([theme, cases]) => section(theme, Object.keys(cases)))
  .join('\n')}`

const section = (theme: string, sentences: readonly string[]) => {
  const names = Object.keys(engines)
  const rows = sentences.map(
    (sentence) => `| ${sentence} | ${names.map((name) => (engines[name]?.[sentence] ? 'no' : 'yes')).join(' | ')} |`,
  )
  const reasons = names.flatMap((name) =>
    sentences.flatMap((sentence) => {
      const reason = engines[name]?.[sentence]
      return reason === undefined ? [] : [`- ${name}, ${sentence}: ${reason}`]
    }),
  )
  const table = [`| | ${names.join(' | ')} |`, `| --- | ${names.map(() => '---').join(' | ')} |`, ...rows].join('\n')
  return `## ${theme.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}\n\n${table}\n${reasons.length > 0 ? `\n${reasons.join('\n')}\n` : ''}`
}
