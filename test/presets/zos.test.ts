import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { checkConfig, type Flags, type Plugin } from '../../core/index.ts'
import config from '../../etc/zos/gateway.config.ts'
import { hasZinit } from '../../plugins/index.ts'
import { zos } from '../../presets/index.ts'

const labels = (plugins: readonly Plugin[]) => plugins.map(({ name, options }) => ({ name, options }))

test.for<Flags>([
  {},
  { http: 8080, https: 8443, api: 9, broker: 'unix:///run/redis.sock', workers: 2, netns: 'none' },
  { supervisor: 'zinit' },
  { supervisor: 'processes' },
])('the zos preset is what etc/zos/gateway.config.ts spells out, with %o', (flags) => {
  expect(labels(zos(flags))).toEqual(labels(config(flags).plugins))
  expect(checkConfig(config(flags)).plugins.length).toBe(zos(flags).length)
})

test.for([
  ['zinit', 'service/zinit'],
  ['processes', 'service/processes'],
  [undefined, hasZinit() ? 'service/zinit' : 'service/processes'],
] as const)('its processes are kept alive by %s', ([supervisor, name]) => {
  const names = zos({ supervisor }).flatMap((plugin) => (/zinit|processes/.test(plugin.name) ? [plugin.name] : []))
  expect(names).toEqual([name])
})

test('asks the name server of the Go module, and gives it 10 s', () => {
  const policy = zos().find(({ name }) => name === 'policy/points-here')
  expect(policy?.options).toEqual({ resolvers: ['8.8.8.8'], timeout: 10 })
})

test('both units run the command of the manual, and choose the preset by a variable', () => {
  const manual = 'gateway --broker unix:///var/run/redis.sock --root /var/cache/modules/gateway'
  const unit = parse(readFileSync(new URL('../../etc/zinit/gateway.yaml', import.meta.url), 'utf8'))
  expect(unit).toEqual({
    exec: manual,
    test: 'zbusdebug --module gateway',
    env: { GATEWAY_PRESET: 'zos' },
    after: ['boot', 'networkd'],
  })
  const service = readFileSync(new URL('../../etc/gateway-zos.service', import.meta.url), 'utf8')
  expect(service).toContain(`\nExecStart=/usr/bin/env ${manual}\nEnvironment=GATEWAY_PRESET=zos GATEWAY_NETNS=none\n`)
})
