import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'

const sparing = new URL('../../cli/turbofan.ts', import.meta.url).href
/** Whether a function becomes TurboFan's within 60,000 calls, and within 3,000,000 more; between them its compilers have time. */
const script = (spared: boolean) => `
  import { setTimeout as wait } from 'node:timers/promises'
  ${spared ? `import { spareTurboFan } from '${sparing}'\nspareTurboFan()` : ''}
  const work = (a) => a * 2 + 1
  const call = (times) => { for (let i = 0; i < times; i++) work(i) }
  %NeverOptimizeFunction(call)
  const isBest = () => (%GetOptimizationStatus(work) & 64) !== 0
  const becomesBest = async (times) => {
    for (let round = 0; round < 30 && !isBest(); round++) { call(times / 30); await wait(20) }
    return isBest()
  }
  console.log(JSON.stringify({ few: await becomesBest(60_000), many: await becomesBest(3_000_000) }))`
const run = (spared: boolean, ...flags: string[]): unknown => {
  const args = [...flags, '--allow-natives-syntax', '--input-type=module', '--eval', script(spared)]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}

describe('TurboFan in a running gateway', () => {
  test('compiles what requests run through, not what Sets do', () => {
    expect(run(false)).toEqual({ few: true, many: true })
    expect(run(true)).toEqual({ few: false, many: true })
  }, 120_000)
  test('compiles what V8 says, where a flag chose it or nothing else compiles', () => {
    expect(run(true, '--invocation-count-for-turbofan=200')).toEqual({ few: true, many: true })
    expect(run(true, '--no-maglev')).toEqual({ few: true, many: true })
  }, 120_000)
})
