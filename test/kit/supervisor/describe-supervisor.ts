import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Plugin, Service, Supervised, Supervisor } from '../../../core/index.ts'
import { type Alone, setUpAlone } from '../alone.ts'
import { isRunning } from '../kept.ts'
import { type Root, tempRoot } from '../root.ts'

export interface SupervisorUnderTest {
  /** Makes the plugin, which provides `Supervisor` as `supervisor`; called again with the same `root` when a case restarts it. */
  readonly supervisor: (root: string) => Plugin<'service'>
  /** What the plugin needs, by the names in its `needs`. */
  readonly given?: object
}

const patience = { timeout: 30_000, interval: 20 }
/** The conformance suite of supervisors, with real children (`sh`) that write down how they were started. For vitest. */
export const describeSupervisor = (name: string, under: SupervisorUnderTest): void => {
  describe(name, () => {
    let root: Root
    let alone: Alone<'service'>
    const open = async () => {
      alone = await setUpAlone(under.supervisor(root.path), root.path, under.given)
    }
    const run = (service: Service): Promise<Supervised> => (alone.api.supervisor as Supervisor).run(service)
    const started = new Set<number>()
    beforeEach(async () => {
      root = tempRoot('supervisor')
      await open()
    })
    afterEach(async () => {
      await alone.close()
      // Whatever a case kept.
      for (const pid of started) if (isRunning(pid)) process.kill(pid, 'SIGKILL')
      started.clear()
      await root.remove()
    })

    /** Appends its pid and what it was given to a file, then does as the script says. */
    const child = (name: string, script: string, more: Partial<Service> = {}): Service => ({
      name,
      command: 'sh',
      args: ['-c', `echo "$$ $*" >> "$0"; ${script}`, join(root.path, `${name}.starts`), ...(more.args ?? [])],
      stopSeconds: 1,
      ...without(more, 'args'),
    })
    const starts = (name: string): readonly { pid: number; args: string }[] => {
      const path = join(root.path, `${name}.starts`)
      // One may be caught before it wrote its line whole.
      const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
      return lines.map((line) => {
        const [pid = '', ...args] = line.split(' ')
        started.add(Number(pid))
        return { pid: Number(pid), args: args.join(' ') }
      })
    }
    const startsReach = (name: string, count: number) =>
      expect.poll(() => starts(name).length, patience).toBeGreaterThanOrEqual(count)
    const sleeper = 'exec sleep 1000'

    it('starts a service and says its pid', async () => {
      const one = await run(child('one', sleeper, { args: ['a', 'b'] }))
      await one.ready
      await startsReach('one', 1)
      expect(starts('one')).toEqual([{ pid: one.status().pid, args: 'a b' }])
      expect(one.adopted).toBe(false)
      expect(one.status()).toMatchObject({ state: 'up', restarts: 0 })
    })

    it('gives a child the variables that it asks for, PATH and HOME, and none of the gateway’s own', async () => {
      process.env.SUPERVISOR_SECRET = 'canary'
      const file = join(root.path, 'env')
      const one = await run(child('env', `env > ${file}.tmp; mv ${file}.tmp ${file}; ${sleeper}`, { env: { WANTED: 'yes' } }))
      await expect.poll(() => existsSync(file), patience).toBe(true)
      const given = readFileSync(file, 'utf8')
      expect(given).toContain('WANTED=yes\n')
      expect(given).toContain(`PATH=${process.env.PATH}\n`)
      expect(given).not.toContain('canary')
      await one.stop()
      delete process.env.SUPERVISOR_SECRET
    })

    it('is ready when the probe is true, and not before', async () => {
      let answers = false
      let asked = 0
      const one = await run(
        child('probed', sleeper, {
          probe: async () => {
            asked++
            return answers
          },
        }),
      )
      await expect.poll(() => asked, patience).toBeGreaterThan(2)
      expect(one.status().state).toBe('starting')
      answers = true
      await one.ready
      expect(one.status().state).toBe('up')
    })

    it('takes a probe that throws or hangs for one that is not true yet', async () => {
      let asked = 0
      const one = await run(
        child('flaky', sleeper, {
          probe: async () => {
            if (++asked === 1) throw new Error('connection refused')
            return true
          },
        }),
      )
      await one.ready
      expect(asked).toBe(2)
    })

    it('refuses a program that is not there', async () => {
      await expect(run({ name: 'missing', command: join(root.path, 'nowhere'), args: [] })).rejects.toMatchObject({
        code: 'PROCESS_FAILED',
      })
      const found = await run(child('missing', sleeper))
      await found.ready
    })

    it('starts one again that ended by itself, and says how it ended with its last line', async () => {
      const ends: string[] = []
      let [prepared, back] = [0, 0]
      const once = join(root.path, 'once')
      const one = await run(
        child('falls', `[ -e ${once} ] && ${sleeper}; touch ${once}; echo first >&2; echo no such licence >&2; exit 3`, {
          onExit: (reason) => ends.push(reason),
          beforeRestart: async () => void prepared++,
          onRestart: () => back++,
        }),
      )
      await expect.poll(() => back, patience).toBe(1)
      expect([prepared, ends.length]).toEqual([1, 1])
      expect(ends[0]).toMatch(/3.*no such licence/)
      expect(one.status()).toMatchObject({ state: 'up', restarts: 1, lastError: ends[0] })
      expect(starts('falls').at(-1)?.pid).toBe(one.status().pid)
    })

    it('says why what one that fell needs is not in order', async () => {
      let broken = true
      const one = await run(
        child('needy', sleeper, {
          beforeRestart: async () => {
            if (broken) throw new Error('its licence is not there')
          },
        }),
      )
      await one.ready
      await startsReach('needy', 1)
      process.kill(one.status().pid!, 'SIGKILL')
      await expect.poll(() => one.status().lastError, patience).toBe('its licence is not there')
      broken = false
      await startsReach('needy', 2)
      await expect.poll(() => one.status().state, patience).toBe('up')
    })

    it('starts one again that was killed', async () => {
      const one = await run(child('killed', sleeper))
      await one.ready
      await startsReach('killed', 1)
      process.kill(one.status().pid!, 'SIGKILL')
      await startsReach('killed', 2)
      await expect.poll(() => one.status(), patience).toMatchObject({ state: 'up', restarts: 1, pid: starts('killed')[1]?.pid })
    })

    it('ends one that hangs at its start, counts that, and tries again', async () => {
      const ends: string[] = []
      await run(child('hangs', sleeper, { startSeconds: 0.2, probe: async () => false, onExit: (reason) => ends.push(reason) }))
      await startsReach('hangs', 2)
      expect(isRunning(starts('hangs')[0]!.pid)).toBe(false)
      expect(ends[0]).toMatch(/not ready/)
    })

    it('ends a service with SIGTERM', async () => {
      const file = join(root.path, 'asked')
      const one = await run(
        child('polite', `trap 'echo bye > ${file}; exit 0' TERM; touch ${file}; while :; do sleep 0.05; done`),
      )
      await expect.poll(() => existsSync(file), patience).toBe(true)
      const { pid } = one.status()
      await one.stop()
      expect(isRunning(pid!)).toBe(false)
      expect(readFileSync(file, 'utf8')).toBe('bye\n')
      expect(one.status().state).toBe('stopped')
    })

    it('ends one that does not mind SIGTERM all the same', async () => {
      const file = join(root.path, 'deaf')
      const one = await run(child('deaf', `trap '' TERM; touch ${file}; while :; do sleep 0.05; done`, { stopSeconds: 0.3 }))
      await expect.poll(() => existsSync(file), patience).toBe(true)
      const { pid } = one.status()
      await one.stop()
      expect(isRunning(pid!)).toBe(false)
    })

    it('rejects readiness of one that was stopped before, and stops it while it waits to try again', async () => {
      const one = await run(child('never', 'exit 1', { probe: async () => false }))
      await expect.poll(() => one.status().state, patience).toBe('backoff')
      const ready = expect(one.ready).rejects.toThrow()
      await one.stop()
      await ready
      const { length } = starts('never')
      expect(one.status().state).toBe('stopped')
      await one.stop()
      expect(starts('never')).toHaveLength(length)
    })

    it('restarts one on demand, with what is given changed, and does not call that an exit', async () => {
      const ends: string[] = []
      const one = await run(child('anew', sleeper, { onExit: (reason) => ends.push(reason) }))
      await startsReach('anew', 1)
      await one.restart({ args: child('anew', sleeper, { args: ['changed'] }).args, revision: '2' })
      await startsReach('anew', 2)
      expect(starts('anew')[1]).toEqual({ pid: one.status().pid, args: 'changed' })
      expect(isRunning(starts('anew')[0]!.pid)).toBe(false)
      expect(ends).toEqual([])
    })

    it('says when a restart on demand failed, and tries on', async () => {
      const [good, bad] = [join(root.path, 'good'), join(root.path, 'bad')]
      const one = await run(
        child('worse', `[ -e ${bad} ] && exit 9; touch ${good}; ${sleeper}`, { probe: async () => existsSync(good) }),
      )
      await one.ready
      renameSync(good, bad)
      await expect(one.restart()).rejects.toMatchObject({ code: 'PROCESS_FAILED' })
      rmSync(bad)
      await expect.poll(() => one.status().state, patience).toBe('up')
    })

    it('ends its children with the gateway', async () => {
      const one = await run(child('bound', sleeper))
      const { pid } = one.status()
      await alone.close()
      expect(isRunning(pid!)).toBe(false)
    })

    it('leaves one that is to be kept, and adopts it at the next start', async () => {
      const kept = child('kept', sleeper, { keep: true, revision: 'a' })
      const { pid } = (await run(kept)).status()
      await startsReach('kept', 1)
      await alone.close()
      expect(isRunning(pid!)).toBe(true)
      await open()
      const again = await run(kept)
      await again.ready
      expect(again.adopted).toBe(true)
      expect(again.status()).toMatchObject({ state: 'up', pid, restarts: 0 })
      expect(starts('kept')).toHaveLength(1)
      process.kill(pid!, 'SIGKILL')
      await startsReach('kept', 2)
    })

    it.each([
      ['arguments', { args: ['other'] }],
      ['environment', { env: { OTHER: 'yes' } }],
      ['revision', { revision: 'b' }],
    ])('replaces a kept one whose %s changed', async (_, change) => {
      const { pid } = (await run(child('kept', sleeper, { keep: true, revision: 'a' }))).status()
      await startsReach('kept', 1)
      await alone.close()
      await open()
      const again = await run(child('kept', sleeper, { keep: true, revision: 'a', ...change }))
      await startsReach('kept', 2)
      expect(again.adopted).toBe(false)
      expect(isRunning(pid!)).toBe(false)
    })

    it('starts a kept one anew that ended while no gateway ran', async () => {
      const kept = child('kept', sleeper, { keep: true })
      const { pid } = (await run(kept)).status()
      await startsReach('kept', 1)
      await alone.close()
      process.kill(pid!, 'SIGKILL')
      await expect.poll(() => isRunning(pid!), patience).toBe(false)
      await open()
      expect((await run(kept)).adopted).toBe(false)
      await startsReach('kept', 2)
    })

    it('ends a kept one for good when it is stopped', async () => {
      const kept = child('kept', sleeper, { keep: true })
      const one = await run(kept)
      const { pid } = one.status()
      await one.stop()
      expect(isRunning(pid!)).toBe(false)
      await alone.close()
      await open()
      const again = await run(kept)
      expect(again.adopted).toBe(false)
      await again.stop()
    })

    it('hands a child over to a second run of the same, whoever stops the first', async () => {
      const first = await run(child('shared', sleeper))
      await startsReach('shared', 1)
      const second = await run(child('shared', sleeper))
      await first.stop()
      await second.ready
      expect(second.status()).toMatchObject({ state: 'up', pid: starts('shared')[0]?.pid })
      expect(second.adopted).toBe(true)
      await second.stop()
      expect(isRunning(starts('shared')[0]!.pid)).toBe(false)
      expect(starts('shared')).toHaveLength(1)
    })

    it('goes back to the first run of a name where the second gives up', async () => {
      const first = await run(child('shared', sleeper, { args: ['old'] }))
      await startsReach('shared', 1)
      const second = await run(child('shared', sleeper, { args: ['new'] }))
      await startsReach('shared', 2)
      expect(isRunning(starts('shared')[0]!.pid)).toBe(false)
      await second.stop()
      await startsReach('shared', 3)
      expect(starts('shared').map(({ args }) => args)).toEqual(['old', 'new', 'old'])
      await expect.poll(() => first.status(), patience).toMatchObject({ state: 'up', pid: starts('shared')[2]?.pid })
    })

    it('ends on release what is not kept, and leaves what is when the gateway ends too', async () => {
      const bound = await run(child('bound', sleeper))
      const kept = await run(child('kept', sleeper, { keep: true }))
      const pids = [bound, kept].map((one) => one.status().pid!)
      await startsReach('kept', 1)
      alone.become('stopping')
      await bound.release()
      await kept.release()
      await alone.close()
      expect(pids.map(isRunning)).toEqual([false, true])
      await open()
      expect((await run(child('kept', sleeper, { keep: true }))).adopted).toBe(true)
    })

    it('ends on release what is kept too where the gateway goes on, as when a reload takes its plugin out', async () => {
      const kept = await run(child('kept', sleeper, { keep: true }))
      const { pid } = kept.status()
      await kept.release()
      expect(isRunning(pid!)).toBe(false)
    })

    it('leaves on release what is kept where the gateway did not start', async () => {
      const kept = await run(child('kept', sleeper, { keep: true }))
      const { pid } = kept.status()
      await startsReach('kept', 1)
      alone.become('starting')
      await kept.release()
      expect(isRunning(pid!)).toBe(true)
    })

    it('keeps many at once', async () => {
      const names = Array.from({ length: 20 }, (_, at) => `many-${at}`)
      const all = await Promise.all(names.map((name) => run(child(name, sleeper))))
      await Promise.all(all.map(({ ready }) => ready))
      for (const name of names) await startsReach(name, 1)
      await alone.close()
      expect(names.flatMap(starts).filter(({ pid }) => isRunning(pid))).toEqual([])
    })
  })
}

const without = <T extends object, K extends keyof T>(from: T, key: K): Omit<T, K> => {
  const { [key]: _, ...rest } = from
  return rest
}
