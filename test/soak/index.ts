import { parseArgs } from 'node:util'
import { soak } from './soak.ts'

// npm run soak [-- --minutes N]: exits with 1 where anything failed, or where memory, descriptors or timers grew.
const { values } = parseArgs({ options: { minutes: { type: 'string', default: '30' } } })
const minutes = Number(values.minutes)
if (!(minutes > 0)) {
  console.error('give minutes: npm run soak -- --minutes 30')
  process.exit(2)
}
const { done, failed, late, lines, samples } = await soak({
  seconds: minutes * 60,
  every: Math.min(5, minutes * 2),
  filled: true,
  say: console.error,
})
const shown = (measure: string, value: number) =>
  measure === 'rss' || measure === 'heap' ? `${(value / (1 << 20)).toFixed(1)} MiB` : value.toFixed(0)
console.log(`${minutes} minutes, ${samples.length} samples\n`)
console.log('| | second quarter | last quarter | an hour | |\n| --- | --- | --- | --- | --- |')
for (const { measure, before, after, slope, flat } of lines)
  console.log(
    `| ${measure} | ${shown(measure, before)} | ${shown(measure, after)} | ${shown(measure, slope)} | ${flat ? 'flat' : 'GROWS'} |`,
  )
console.log(
  `\n${Object.entries(done)
    .map(([what, count]) => `- ${count.toLocaleString('en')} rounds: ${what}`)
    .join('\n')}`,
)
console.log(`- ${late.toLocaleString('en')} handshakes took longer than the gateway gives them, and were begun again`)
for (const line of failed) console.log(`FAILED ${line}`)
process.exit(failed.length > 0 || lines.some(({ flat }) => !flat) ? 1 : 0)
