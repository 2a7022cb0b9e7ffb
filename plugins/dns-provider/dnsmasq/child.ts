import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { type Core, GatewayError, reason, type Service, type Supervised, type Supervisor } from '../../../core/index.ts'
import { writeFileAtomic } from '../../../lib/atomic-file.ts'
import { portOwner } from '../../../lib/port-owner.ts'
import { configOf, type Wanted } from './config-file.ts'
import { type Look, lookHere, openInside } from './inside.ts'
import { answersAtAll, answersWith } from './look.ts'
import type { Settings } from './options.ts'

export interface Child {
  /** Brings the name server to this: returns when it answers so, over UDP and TCP. The one that runs is left alone where dnsmasq refuses the new config. */
  apply(wanted: Wanted): Promise<void>
  close(): Promise<void>
}

/** One dnsmasq under the supervisor, which outlives the gateway. */
export const child = (
  settings: Settings,
  { supervisor, root, health }: { supervisor: Supervisor; root: string; health: Core['health'] },
): Child => {
  const folder = join(root, 'dnsmasq')
  const file = join(folder, 'dnsmasq.conf')
  let wanted: Wanted | undefined
  let written: string | undefined
  let supervised: Supervised | undefined
  const first = soonOnce()

  /** Whoever else has the port, as far as it is to be seen from here. */
  const rival = async (): Promise<GatewayError | undefined> => {
    const owner = settings.netns === undefined ? await portOwner(settings.port, wanted?.addresses ?? []) : undefined
    if (!owner || owner.pid === supervised?.status().pid || !supervised) return undefined
    return new GatewayError(
      'PORT_IN_USE',
      `port ${settings.port} is in use by pid ${owner.pid} (${owner.command})`,
      'stop it, or give `addresses` that it does not listen on',
    )
  }

  let inside: ReturnType<typeof openInside> | undefined
  /** Questions are asked where it answers. */
  const look = async (): Promise<Look> => {
    const { netns } = settings
    if (netns === undefined) return lookHere
    inside ??= openInside({ supervisor, netns, folder })
    inside.catch(() => {
      inside = undefined
    })
    return (await inside).look
  }

  const service = (revision: string): Service => ({
    name: 'dnsmasq',
    command: settings.command,
    args: ['--keep-in-foreground', `--conf-file=${file}`],
    ...(settings.netns !== undefined && { netns: settings.netns }),
    keep: true,
    revision,
    startSeconds: 10,
    stopSeconds: 2,
    probe: async (signal) => wanted !== undefined && (await answersAtAll(wanted, await look(), signal)),
    onExit(why) {
      health('degraded', `dnsmasq ended: ${why}`)
      if (first.may()) supervised?.restart().catch(() => undefined)
    },
    onRestart() {
      first.up()
      health('ok')
    },
  })

  /** What dnsmasq itself says of a config file. */
  const test = (path: string) =>
    new Promise<void>((resolve, reject) => {
      execFile(settings.command, ['--test', `--conf-file=${path}`], { timeout: 5_000 }, (error, _, stderr) => {
        if (!error) return resolve()
        const said = stderr.trim().split('\n').at(-1) || error.message
        const code = 'code' in error && error.code === 'ENOENT' ? 'PROCESS_FAILED' : 'DNS_UNAVAILABLE'
        const fix =
          code === 'PROCESS_FAILED'
            ? 'install dnsmasq-base, or give its path as `command`'
            : 'see whether this dnsmasq is 2.80 or newer'
        reject(new GatewayError(code, `dnsmasq refuses its config: ${said}`, fix, { cause: error }))
      })
    })

  const write = async (text: string): Promise<void> => {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const next = `${file}.next`
    try {
      await writeFileAtomic(next, text)
      await test(next)
      await rename(next, file)
    } finally {
      await rm(next, { force: true })
    }
  }

  return {
    async apply(next) {
      const text = configOf(next)
      wanted = next
      const revision = createHash('sha256').update(text).digest('hex')
      try {
        if (!supervised) {
          await write(text)
          supervised = await supervisor.run(service(revision))
          written = text
          await Promise.race([supervised.ready, failing(supervised, rival)])
        } else if (text !== written) {
          await write(text)
          written = text
          await Promise.race([supervised.restart({ revision }), failing(supervised, rival)])
        } else if (supervised.status().state !== 'up') await Promise.race([supervised.restart(), failing(supervised, rival)])
        await answersWith(next, await look())
        first.up()
        health('ok', undefined, { port: settings.port })
      } catch (error) {
        const told = (await rival()) ?? explain(error)
        health('degraded', `${told.message} (${told.fix})`)
        throw told
      }
    },
    async close() {
      await supervised?.release()
      await (await inside?.catch(() => undefined))?.close()
    },
  }
}

/** Rejects once a start of it has failed, or cannot succeed; what is tried again after is another's to wait for. */
const failing = async (supervised: Supervised, rival: () => Promise<GatewayError | undefined>): Promise<never> => {
  const before = supervised.status().restarts
  for (let round = 1; ; round++) {
    await after(50, undefined, { ref: false })
    const { state, restarts, lastError } = supervised.status()
    // While it is being restarted it may still be what it was.
    if (state === 'stopped' || (round > 1 && (state === 'backoff' || restarts > before)))
      throw new GatewayError('PROCESS_FAILED', `dnsmasq ended: ${lastError ?? state}`, 'see its log below the root, in run/')
    if (state !== 'up' && round % 10 === 0) {
      const problem = await rival()
      if (problem) throw problem
    }
  }
}

/** The first end, and one after a minute up, is followed by a start at once; the others wait as the supervisor says. */
const soonOnce = () => {
  let since: number | undefined
  let used = false
  return {
    up: () => {
      since = performance.now()
    },
    may: (): boolean => {
      const long = since !== undefined && performance.now() - since >= 60_000
      since = undefined
      if (used && !long) return false
      used = true
      return true
    },
  }
}

const explain = (error: unknown): GatewayError =>
  error instanceof GatewayError
    ? error
    : new GatewayError(
        'DNS_UNAVAILABLE',
        `dnsmasq does not answer as it should: ${reason(error)}`,
        'see its log below the root, in run/',
        { cause: error },
      )
