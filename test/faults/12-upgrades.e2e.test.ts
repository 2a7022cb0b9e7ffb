import { expect } from 'vitest'
import { engines } from './engines.ts'
import { faultOn } from './fault.ts'
import { attack } from './smuggling/attack.ts'
import { knownOf } from './smuggling/known.ts'
import { upgrades } from './smuggling/upgrades.ts'

faultOn(
  12,
  `${upgrades.length} requests for a tunnel, or that wait before their body, are refused or arrive once, and nothing behind them is a request`,
  engines,
  async (open, engine) => {
    expect((await attack(open, upgrades, knownOf[engine])).wrong).toEqual([])
  },
)
