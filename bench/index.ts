import { figures } from './figures.ts'
import type { Options } from './parts/options.ts'
import { record } from './parts/record.ts'
import { show } from './parts/table.ts'

// npm run bench [-- NAME ...] [--quick] [--scale=N] [--write]. Without names: all of them, in a row.
const args = process.argv.slice(2)
const quick = args.includes('--quick')
const scale = Number(args.find((arg) => arg.startsWith('--scale='))?.slice(8) ?? (quick ? 0.01 : 1))
const names = args.filter((arg) => !arg.startsWith('--'))
const unknown = names.find((name) => !Object.hasOwn(figures, name)) ?? args.find((arg) => /^--(?!quick$|write$|scale=)/.test(arg))
if (unknown !== undefined || !(scale > 0)) {
  console.error(
    `there is no ${unknown ?? 'such scale'}; figures: ${Object.keys(figures).join(' ')}; flags: --quick --scale=N --write`,
  )
  process.exit(2)
}

let missed = false
for (const name of names.length ? names : Object.keys(figures)) {
  const began = performance.now()
  const say: Options['say'] = (line) => console.error(`[${name} ${((performance.now() - began) / 1000).toFixed(0)} s] ${line}`)
  const { measure } = await figures[name]!()
  const figure = await measure({ quick, scale, say })
  console.log(`\n${show(figure)}`)
  if (figure.targets.some(({ value, most }) => !(value <= most))) missed = true
  if (!quick || args.includes('--write')) await record(name, figure, quick)
}
process.exit(missed ? 1 : 0)
