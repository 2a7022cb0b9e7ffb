import { expect, test } from 'vitest'
import type { Flags, Plugin } from '../../core/index.ts'
import config from '../../gateway.config.ts'
import { local } from '../../presets/index.ts'

const labels = (plugins: readonly Plugin[]) => plugins.map(({ name, options }) => ({ name, options }))

test.for<Flags>([{}, { http: 80, https: 443, api: 9, broker: 'unix:///run/redis.sock', workers: 2 }])(
  'the local preset is what gateway.config.ts spells out, with %o',
  (flags) => {
    expect(labels(local(flags))).toEqual(labels(config(flags).plugins))
  },
)
