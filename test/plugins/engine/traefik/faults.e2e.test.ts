import { spawn } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { WorkloadId } from '../../../../core/index.ts'
import { freePort } from '../../../kit/index.ts'
import { traefikPath } from '../../../kit/programs.ts'
import { faultStand, next, patience, pidOf, set, stateOf, well } from './stand.ts'

describe('a Traefik that does not come up', () => {
  it.each([
    ['is not there', '/no/such/traefik', "there is no '/no/such/traefik'", 'install Traefik'],
    ['is too old', `echo 'Version:      2.11.2'`, 'Traefik 2.11.2 is too old', 'install 3.0.0 or newer'],
    ['is no Traefik', 'echo hello', 'names no version', 'name the Traefik program'],
  ])('%s: the start says so, and what an earlier gateway left serving serves on', async (_, what, message, fix) => {
    const { start, get, root, web } = await faultStand({ keepServing: true })
    const first = await start()
    await set(first, '1-1-a', 'a.wild.test', web.url)
    await expect.poll(() => get('a.wild.test'), patience).toBe('hello')
    await first.close()
    const command = what.startsWith('/') ? what : join(root, 'other')
    if (command !== what) await writeFile(command, `#!/bin/sh\n${what}\n`, { mode: 0o755 })
    await expect(start({ command })).rejects.toMatchObject({
      code: 'PROCESS_FAILED',
      message: expect.stringContaining(message),
      fix: expect.stringContaining(fix),
    })
    expect(await get('a.wild.test')).toBe('hello')
  })

  it('ends at once: down with its last line, tried again, and serving all that was set meanwhile once it can', async () => {
    const { start, get, pretender, root, seen, web } = await faultStand()
    const command = await pretender(
      `[ -e ${root}/well ] && exec ${traefikPath()} "$@"; echo field not found, node: entrypoint >&2; exit 1`,
    )
    const gateway = await start({ command })
    expect(stateOf(gateway)).toMatchObject({
      state: 'down',
      reason: expect.stringContaining('exit code 1: field not found, node: entrypoint'),
    })
    expect(await seen()).toMatchObject({
      status: expect.stringMatching(/down.*field not found, node: entrypoint/),
      exitCode: 5,
      readyz: 503,
    })
    await set(gateway, '1-1-a', 'a.wild.test', web.url)
    await expect.poll(() => Number(stateOf(gateway)?.facts?.restarts), patience).toBeGreaterThan(2)
    await writeFile(join(root, 'well'), '')
    await expect.poll(() => stateOf(gateway)?.state, patience).toBe('ok')
    expect(await get('a.wild.test')).toBe('hello')
    expect(await seen()).toMatchObject(well)
  })

  it('hangs: is ended and counted, and the gateway says so', async () => {
    const { start, pretender, root, seen } = await faultStand()
    const command = await pretender(`echo $$ >> ${root}/pids; exec sleep 1000`)
    const gateway = await start({ command })
    expect(gateway.status().ready).toBe(false)
    await expect
      .poll(() => stateOf(gateway), patience)
      .toMatchObject({ state: 'down', reason: expect.stringContaining('not ready within 30 s') })
    expect(await seen()).toMatchObject({ status: expect.stringMatching(/down.*not ready within 30 s/), exitCode: 5, readyz: 503 })
    const [first = ''] = (await readFile(join(root, 'pids'), 'utf8')).split('\n')
    await expect(stat(`/proc/${first}`)).rejects.toThrow('ENOENT')
  })

  it.each([
    ['vanishes from the disk', undefined, /there is no '.*traefik-copy'/],
    ['becomes an older one', "echo 'Version:      2.11.2'", /Traefik 2\.11\.2 is too old/],
    ['becomes no Traefik', 'echo hello', /names no version/],
  ])('%s while it serves: serves on, and is waited for once it ended', async (_, script, why) => {
    const { start, get, root, seen, web } = await faultStand()
    const command = join(root, 'traefik-copy')
    // In one step: a shell that runs it reads on in what it opened.
    const put = async (text: string) => {
      await writeFile(`${command}.new`, `#!/bin/sh\n${text}\n`, { mode: 0o755 })
      await rename(`${command}.new`, command)
    }
    const real = `exec ${traefikPath()} "$@"`
    await put(real)
    const gateway = await start({ command })
    await set(gateway, '1-1-a', 'a.wild.test', web.url)
    await (script === undefined ? rm(command) : put(script))
    await expect.poll(() => get('a.wild.test'), patience).toBe('hello')
    process.kill(pidOf(gateway), 'SIGKILL')
    const down = { state: 'down', reason: expect.stringMatching(why) }
    await expect.poll(() => stateOf(gateway), patience).toMatchObject(down)
    const told = { status: expect.stringMatching(new RegExp(`down.*${why.source}`)), exitCode: 5, readyz: 503 }
    await expect.poll(seen, patience).toMatchObject(told)
    await put(real)
    await expect.poll(() => stateOf(gateway)?.state, patience).toBe('ok')
    expect(await get('a.wild.test')).toBe('hello')
  })
})

describe('a port that somebody else has', () => {
  it('is named with who holds it, and taken once it is free', async () => {
    const { start, get, https, seen, web } = await faultStand()
    const other = createServer().listen(https)
    await new Promise((listening) => other.once('listening', listening))
    const gateway = await start()
    await expect
      .poll(() => stateOf(gateway), patience)
      .toMatchObject({ state: 'down', reason: expect.stringContaining(`port ${https} is held by`) })
    expect(stateOf(gateway)?.reason).toContain(`(pid ${process.pid})`)
    const told = { status: expect.stringContaining(`(pid ${process.pid})`), exitCode: 5, readyz: 503 }
    await expect.poll(seen, patience).toMatchObject(told)
    await set(gateway, '1-1-a', 'a.wild.test', web.url)
    await new Promise((closed) => other.close(closed))
    await expect.poll(() => stateOf(gateway)?.state, patience).toBe('ok')
    expect(await get('a.wild.test')).toBe('hello')
  })

  it('belongs to a Traefik that is not ours: that one is reported, and neither taken over nor ended', async () => {
    const { start, https, api } = await faultStand()
    const args = [`--entrypoints.web.address=:${https}`, `--entrypoints.traefik.address=127.0.0.1:${api}`, '--api.insecure']
    const foreign = spawn(traefikPath(), args, { stdio: 'ignore' })
    onTestFinished(() => void foreign.kill('SIGKILL'))
    const answers = () =>
      fetch(`http://127.0.0.1:${api}/api/version`).then(
        ({ ok }) => ok,
        () => false,
      )
    await expect.poll(answers, patience).toBe(true)
    const gateway = await start()
    await expect
      .poll(() => stateOf(gateway), patience)
      .toMatchObject({ state: 'down', reason: expect.stringContaining(`(pid ${foreign.pid}), which is left alone`) })
    await gateway.close()
    expect(foreign.exitCode).toBeNull()
    expect(await answers()).toBe(true)
  })
})

describe('a Traefik that dies', () => {
  it('is there again after each of twenty kills, as one process, with every route', async () => {
    const { start, get, seen: shown, web } = await faultStand()
    const gateway = await start()
    await set(gateway, '1-1-a', 'a.wild.test', web.url)
    await set(gateway, '1-1-b', 'b.wild.test', web.url)
    const seen = new Set<number>()
    for (let kills = 1; kills <= 20; kills++) {
      const pid = pidOf(gateway)
      seen.add(pid)
      const back = next(gateway, (event) => event.type === 'engine' && event.state === 'restarted')
      process.kill(pid, 'SIGKILL')
      await back
      expect(await Promise.all([get('a.wild.test'), get('b.wild.test')])).toEqual(['hello', 'hello'])
      await expect(stat(`/proc/${pid}`)).rejects.toThrow('ENOENT')
      await expect.poll(() => seen.has(pidOf(gateway)) || pidOf(gateway) === 0, patience).toBe(false)
    }
    expect(seen.size).toBe(20)
    await expect.poll(() => stateOf(gateway), patience).toMatchObject({ state: 'ok', facts: { restarts: 20 } })
    expect(await shown()).toMatchObject({ status: expect.stringContaining('restarts 20'), readyz: 200 })
  })

  it('comes back with its routes where its folder was filled with broken files meanwhile', async () => {
    const { start, get, proxy, seen, web } = await faultStand()
    const gateway = await start()
    await set(gateway, '1-1-a', 'a.wild.test', web.url)
    const back = next(gateway, (event) => event.type === 'engine' && event.state === 'restarted')
    process.kill(pidOf(gateway), 'SIGKILL')
    await writeFile(join(proxy, 'foreign.yaml'), 'http: [')
    await writeFile(join(proxy, 'template.yaml'), '{{ fail "no" }}')
    await mkdir(join(proxy, 'folder'))
    await writeFile(join(proxy, 'folder', 'inside.yaml'), 'http: {routers: {')
    await back
    await expect.poll(() => get('a.wild.test'), patience).toBe('hello')
    await set(gateway, '1-1-b', 'b.wild.test', web.url)
    await expect.poll(() => get('b.wild.test'), patience).toBe('hello')
    expect((await readdir(proxy)).filter((name) => !/^(1-1-|gateway\.|certificate\.)/.test(name))).toEqual([])
    await expect.poll(seen, patience).toMatchObject(well)
  })

  it('comes back by the right configuration where that was edited by hand', async () => {
    const { start, get, state, seen, web } = await faultStand()
    const gateway = await start()
    await set(gateway, '1-1-a', 'a.wild.test', web.url)
    const file = join(state, 'traefik.yaml')
    const before = await readFile(file, 'utf8')
    const alarm = next(gateway, (event) => event.type === 'alarm' && event.message.includes('edited'))
    await writeFile(file, 'entryPoints: [broken')
    await alarm
    expect(await readFile(file, 'utf8')).toBe(before)
    await expect.poll(seen, patience).toMatchObject(well)
    const back = next(gateway, (event) => event.type === 'engine' && event.state === 'restarted')
    process.kill(pidOf(gateway), 'SIGKILL')
    await back
    expect(await get('a.wild.test')).toBe('hello')
  })
})

describe('a Traefik that answers nothing', () => {
  it.each(['files', 'http'] as const)(
    'is down, holds up nobody but its Deletes, and is well once it answers; by %s',
    async (routes) => {
      const { start, get, seen, web } = await faultStand({ routes })
      const gateway = await start()
      await set(gateway, '1-1-a', 'a.wild.test', web.url)
      await expect.poll(() => get('a.wild.test'), patience).toBe('hello')
      const pid = pidOf(gateway)
      process.kill(pid, 'SIGSTOP')
      onTestFinished(() => void kill(pid, 'SIGCONT'))
      const remove = () => gateway.dispatch({ do: 'delete', id: '1-1-a' as WorkloadId })
      const removed = remove()
      const outcome = removed.then(
        () => 'removed',
        (error) => error,
      )
      for (const at of [1, 2, 3]) await set(gateway, `1-${at}-b`, `b${at}.wild.test`, web.url)
      expect(await Promise.race([outcome, 'waits'])).toBe('waits')
      const refused = { code: 'ENGINE_UNAVAILABLE', message: expect.stringContaining('Traefik still serves it') }
      expect(await outcome).toMatchObject(refused)
      const down = { state: 'down', reason: expect.stringContaining('it answers nothing') }
      await expect.poll(() => stateOf(gateway), patience).toMatchObject(down)
      expect(await seen()).toMatchObject({ status: expect.stringMatching(/down.*it answers nothing/), exitCode: 5, readyz: 503 })
      // It is known now: nobody waits for it.
      const began = performance.now()
      await expect(remove()).rejects.toMatchObject(refused)
      expect(performance.now() - began).toBeLessThan(5_000)
      process.kill(pid, 'SIGCONT')
      await expect.poll(() => stateOf(gateway)?.state, patience).toBe('ok')
      for (const host of ['a', 'b1', 'b2', 'b3']) await expect.poll(() => get(`${host}.wild.test`), patience).toBe('hello')
      expect(await seen()).toMatchObject(well)
      expect(pidOf(gateway)).toBe(pid)
      await remove()
      expect(await get('a.wild.test')).not.toBe('hello')
    },
  )
})

describe('ACME state', () => {
  const account = JSON.stringify({ resolver: { Account: null, Certificates: null } }, null, 2)
  const damaged: readonly (readonly [string, (path: string) => Promise<void>])[] = [
    ['was cut short', (path) => truncate(path, 20)],
    ['was emptied', (path) => truncate(path, 0)],
    ['can be read by others', (path) => chmod(path, 0o644)],
  ]
  it.each(damaged)('that %s is mended before Traefik reads it, and said', async (_, damage) => {
    const directory = `https://127.0.0.1:${await freePort()}/dir`
    const { start, state, web, get, seen } = await faultStand({
      issue: 'traefik',
      acme: { caServer: directory, email: 'a@example.org' },
    })
    const file = join(state, 'acme.json')
    await mkdir(state, { recursive: true })
    await writeFile(file, account, { mode: 0o600 })
    const gateway = await start()
    await set(gateway, '1-1-a', 'a.wild.test', web.url)
    await damage(file)
    const alarm = next(gateway, (event) => event.type === 'alarm' && event.message.includes("Traefik's acme.json"))
    const back = next(gateway, (event) => event.type === 'engine' && event.state === 'restarted')
    process.kill(pidOf(gateway), 'SIGKILL')
    await Promise.all([alarm, back])
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ resolver: {} })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readFile(join(state, '../run/traefik.log'), 'utf8')).not.toMatch(/permissions 644|unexpected end of JSON/)
    await expect.poll(() => get('a.wild.test'), patience).toBe('hello')
    await expect.poll(seen, patience).toMatchObject(well)
  })
})

it('starts with 10,000 routes on file, serves them, and takes the next', async () => {
  const { start, get, proxy, seen, web } = await faultStand({ routes: 'files' })
  const first = await start()
  const many = Array.from({ length: 10_000 }, (_, at) => set(first, `1-${at}-many`, `h${at}.wild.test`, web.url))
  await Promise.all(many)
  await expect.poll(() => get('h9999.wild.test'), { timeout: 240_000, interval: 500 }).toBe('hello')
  await first.close()
  expect((await readdir(proxy)).length).toBeGreaterThan(10_000)
  const second = await start()
  for (const at of [0, 4_999, 9_999])
    await expect.poll(() => get(`h${at}.wild.test`), { timeout: 240_000, interval: 500 }).toBe('hello')
  await set(second, '1-10000-many', 'more.wild.test', web.url)
  await expect.poll(() => get('more.wild.test'), { timeout: 240_000, interval: 500 }).toBe('hello')
  await expect.poll(seen, patience).toMatchObject(well)
}, 900_000)

/** One that is gone is as good as told. */
const kill = (pid: number, signal: NodeJS.Signals) => {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended with the gateway.
  }
}
