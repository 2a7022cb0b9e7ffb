import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { bin, follow, type GatewayProcess } from '../../../cli/gateway-process.ts'
import { isRunning } from '../../../kit/kept.ts'
import { marked, ownRoot, patience, recordOf } from './parts.ts'

/** A gateway with a child that is to be kept, one that is not, and no store that would lock the root. */
const config = `import { defineGateway, definePlugin, Supervisor } from 'zos-gateway'
import { memory, processes } from 'zos-gateway/plugins'
const runs = (name, keep) => definePlugin({
  name: 'service/' + name, kind: 'service', needs: { supervisor: Supervisor },
  setup: async ({ supervisor }) => {
    const one = await supervisor.run({ name, command: 'sleep', args: ['1000'], keep, stopSeconds: 1 })
    await one.ready
    return { close: () => one.release() }
  },
})
export default defineGateway({ plugins: [memory(), processes(), runs('kept', true), runs('bound', false)] })
`
const up = 'is up'
const stand = () => {
  const root = ownRoot()
  writeFileSync(join(root, 'gateway.config.mts'), config)
  // In a process group of its own, as a terminal gives it.
  const start = (): GatewayProcess =>
    follow(process.execPath, [bin, '--config', join(root, 'gateway.config.mts'), '--root', root], { cwd: root, detached: true })
  return { root, start }
}

it('is killed with -9 twenty times at any moment, and the kept child runs through as one', async () => {
  const { root, start } = stand()
  {
    await using first = start()
    await first.until(up)
  }
  const [pid = 0] = marked(root, 'kept')
  expect(pid).toBeGreaterThan(0)
  for (let kills = 0; kills < 20; kills++) {
    const gateway = start()
    // Half of them amid the start.
    if (kills % 2) await gateway.until(up)
    else await new Promise((over) => setTimeout(over, Math.random() * 700))
    process.kill(gateway.pid, 'SIGKILL')
    await gateway.ended
    expect(marked(root, 'kept')).toEqual([pid])
  }
  await using last = start()
  await last.until(up)
  expect(marked(root, 'kept')).toEqual([pid])
  await expect.poll(() => recordOf(root, 'kept'), patience).toMatchObject({ pid, gateway: last.pid })
  expect(marked(root, 'bound')).toHaveLength(1)
}, 300_000)

it('leaves no second child behind where it is killed amid the first starts', async () => {
  const { root, start } = stand()
  for (let kills = 0; kills < 10; kills++) {
    const gateway = start()
    await expect
      .poll(() => marked(root, 'kept').length + marked(root, 'bound').length, { ...patience, interval: 1 })
      .toBeGreaterThan(0)
    process.kill(gateway.pid, 'SIGKILL')
    await gateway.ended
    for (const pid of kills % 2 ? marked(root, 'kept') : []) process.kill(pid, 'SIGKILL')
  }
  await using last = start()
  await last.until(up)
  expect([marked(root, 'kept').length, marked(root, 'bound').length]).toEqual([1, 1])
})

it('takes a child that is not to be kept along when it is killed, by setpriv of util-linux', async () => {
  const { root, start } = stand()
  const gateway = start()
  await gateway.until(up)
  const [bound = 0] = marked(root, 'bound')
  process.kill(gateway.pid, 'SIGKILL')
  await gateway.ended
  await expect.poll(() => isRunning(bound), patience).toBe(false)
})

it('keeps its kept child over Ctrl-C, and ends the other', async () => {
  const { root, start } = stand()
  const gateway = start()
  await gateway.until(up)
  const [[kept = 0], [bound = 0]] = [marked(root, 'kept'), marked(root, 'bound')]
  // To the whole process group, as the terminal does.
  gateway.signal('SIGINT')
  expect(await gateway.ended).toBe(0)
  expect([isRunning(kept), isRunning(bound)]).toEqual([true, false])
  expect(recordOf(root, 'bound')).toBeUndefined()
})

it('does not touch the children of another gateway that runs with the same root', async () => {
  const { root, start } = stand()
  await using gateway = start()
  await gateway.until(up)
  // One that setpriv is just turning into the command shows no environment for a moment.
  await expect.poll(() => marked(root).length, patience).toBe(2)
  const children = marked(root)
  await using second = start()
  expect(await second.ended).toBe(5)
  expect(second.stderr).toMatch(new RegExp(`BUSY: .*another gateway runs with this root .pid ${gateway.pid}.`))
  expect(marked(root)).toEqual(children)
})
