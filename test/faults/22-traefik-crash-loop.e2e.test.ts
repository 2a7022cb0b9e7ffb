import { chmod, mkdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { RunningGateway } from '../../core/index.ts'
import { traefikPath } from '../kit/programs.ts'
import { faultStand, next, patience, pidOf, set, stateOf } from '../plugins/engine/traefik/stand.ts'
import { faultOn } from './fault.ts'
import { underLoad } from './old-route.ts'

const on = { traefik: faultStand }
/** The process that runs once another than `last` does. */
const another = async (gateway: RunningGateway, last: number) => {
  await expect.poll(() => ![0, last].includes(pidOf(gateway)), patience).toBe(true)
  return pidOf(gateway)
}

faultOn(
  22,
  'a Traefik that is killed again and again serves each time again, and keeps neither routes nor waiting from one to the next',
  on,
  async (open) => {
    const { start, get, connect, web } = await open()
    const gateway = await start()
    await set(gateway, '1-1-old', 'old.wild.test', web.url)
    await expect.poll(() => get('old.wild.test'), patience).toBe('hello')
    await using old = await underLoad({ host: 'old.wild.test', text: 'hello', connect: () => connect('old.wild.test') })
    let last = 0
    for (let kills = 1; kills <= 5; kills++) {
      const pid = await another(gateway, last)
      last = pid
      const back = next(gateway, (event) => event.type === 'engine' && event.state === 'restarted')
      process.kill(pid, 'SIGKILL')
      await back
      await old.servesAgain()
      await expect(stat(`/proc/${pid}`)).rejects.toThrow('ENOENT')
    }
  },
)

faultOn(
  22,
  'one whose configuration is refused is started again at growing intervals, says why, and serves what was set meanwhile once it can',
  on,
  async (open) => {
    const { start, get, pretender, root, web } = await open()
    const command = await pretender(
      `[ -e ${root}/well ] && exec ${traefikPath()} "$@"; date +%s%N >> ${root}/starts; echo field not found, node: entrypoint >&2; exit 1`,
    )
    const gateway = await start({ command })
    expect(stateOf(gateway)).toMatchObject({
      state: 'down',
      reason: expect.stringContaining('field not found, node: entrypoint'),
    })
    await set(gateway, '1-1-a', 'a.wild.test', web.url)
    await expect.poll(() => Number(stateOf(gateway)?.facts?.restarts), patience).toBeGreaterThan(3)
    const starts = (await readFile(join(root, 'starts'), 'utf8')).trim().split('\n').map(Number)
    const waits = starts.slice(1).map((time, at) => (time - (starts[at] ?? 0)) / 1e6)
    // As the stand has it: 200 ms, twice as long each time, 500 at most. A busy machine only makes them longer.
    for (const [at, least] of [200, 400, 500].entries()) expect(waits[at]).toBeGreaterThan(least - 10)
    await writeFile(join(root, 'well'), '')
    await expect.poll(() => stateOf(gateway)?.state, patience).toBe('ok')
    await expect.poll(() => get('a.wild.test'), patience).toBe('hello')
  },
)

faultOn(22, 'its certificates that were cut short or opened to others come back before it reads them', on, async (open) => {
  const directory = 'https://127.0.0.1:9/dir'
  const { start, get, state, connect, web } = await open({
    issue: 'traefik',
    acme: { caServer: directory, email: 'a@example.org' },
  })
  const file = join(state, 'acme.json')
  const before = JSON.stringify({ resolver: { Account: null, Certificates: null } }, null, 2)
  await mkdir(state, { recursive: true })
  await writeFile(file, before, { mode: 0o600 })
  const gateway = await start()
  await set(gateway, '1-1-old', 'old.wild.test', web.url)
  await expect.poll(() => get('old.wild.test'), patience).toBe('hello')
  await using old = await underLoad({ host: 'old.wild.test', text: 'hello', connect: () => connect('old.wild.test') })
  let last = 0
  for (const damage of [() => truncate(file, 20), () => truncate(file, 0), () => chmod(file, 0o644)]) {
    const back = next(gateway, (event) => event.type === 'engine' && event.state === 'restarted')
    await damage()
    last = await another(gateway, last)
    process.kill(last, 'SIGKILL')
    await back
    await old.servesAgain()
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ resolver: {} })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  }
})
