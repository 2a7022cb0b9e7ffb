import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'

const tuning = new URL('../../bin/v8.js', import.meta.url).href
/** Whether a function becomes TurboFan's within 60,000 calls, and within 3,000,000 more; between them its compilers have time. */
const script = (tuned: boolean) => `
  import { setTimeout as wait } from 'node:timers/promises'
  ${tuned ? `import { tuneV8 } from '${tuning}'\ntuneV8()` : ''}
  const work = (a) => a * 2 + 1
  const call = (times) => { for (let i = 0; i < times; i++) work(i) }
  %NeverOptimizeFunction(call)
  const isBest = () => (%GetOptimizationStatus(work) & 64) !== 0
  const becomesBest = async (times) => {
    for (let round = 0; round < 30 && !isBest(); round++) { call(times / 30); await wait(20) }
    return isBest()
  }
  console.log(JSON.stringify([process.execArgv, await becomesBest(60_000), await becomesBest(3_000_000)]))`
const run = (tuned: boolean, ...flags: string[]) => {
  const args = [...flags, '--allow-natives-syntax', '--input-type=module', '--eval', script(tuned)]
  const [told, few, many] = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
  return { told: told.filter((flag: string) => flag.includes('size')), few, many }
}

describe('V8 in a running gateway', () => {
  test('compiles with TurboFan what requests run through, not what Sets do', () => {
    expect(run(false)).toMatchObject({ few: true, many: true })
    expect(run(true)).toMatchObject({ few: false, many: true })
  }, 120_000)
  test('keeps what was chosen by a flag', () => {
    expect(run(true, '--invocation-count-for-turbofan=200')).toMatchObject({ few: true })
    expect(run(true, '--max_semi_space_size=8').told).toEqual(['--max_semi_space_size=8'])
  }, 120_000)
})
