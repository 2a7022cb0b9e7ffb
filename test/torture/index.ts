import { parseArgs } from 'node:util'
import { torture } from './torture.ts'

// npm run torture [-- --kills N] [--seed N] [--power-cuts] [--durability process] [--engine traefik]: exits with 1 where anything was lost, and names the seed that does it again.
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    'power-cuts': { type: 'boolean', default: false },
    engine: { type: 'string', default: 'embedded' },
    durability: { type: 'string', default: 'power' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const [kills, seed] = [Number(values.kills), Number(values.seed)]
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
  console.error('give whole numbers: npm run torture -- --kills 1000 --seed 42')
  process.exit(2)
}
console.error(`seed ${seed}`)
const began = performance.now()
const { violations, ...figures } = await torture({
  kills,
  seed,
  say: console.error,
  engine: values.engine === 'traefik' ? 'traefik' : 'embedded',
  powerCuts: values['power-cuts'],
  durability: values.durability === 'process' ? 'process' : 'power',
})
console.log(
  JSON.stringify({ seed, seconds: Math.round((performance.now() - began) / 1000), ...figures, violations: violations.length }),
)
process.exit(violations.length ? 1 : 0)
