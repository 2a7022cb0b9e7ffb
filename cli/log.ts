import type { CreateOptions } from '../core/running-gateway.ts'
import { LineWriter } from '../lib/line-writer.ts'

type Write = NonNullable<CreateOptions['log']>
type Line = readonly [level: Parameters<Write>[0], message: string, fields: object, at: Date]
export interface Log {
  readonly write: Write
  /** Lines are kept until then, so that no logger has to be loaded before the gateway serves. */
  open(): Promise<void>
  /** Where the gateway did not start: forgets what is only of interest if it had. */
  dropInfo(): void
}

/** Milliseconds that the end of the process waits for who reads the log. */
const lastWait = 500

/**
 * The log on stderr: lines for a person on a terminal, pino's JSON elsewhere. What is still kept when the process ends is written then.
 * A reader that is stuck holds nothing up: lines are dropped, and counted once it reads again.
 */
export const createLog = (forPerson = process.stderr.isTTY === true): Log => {
  let kept: Line[] = []
  let out: (line: Line) => void = (line) => kept.push(line)
  const stderr = new LineWriter(2, (dropped) =>
    write('warn', `${dropped} lines of the log were dropped: standard error was not read`, { dropped }),
  )
  const write: Write = (level, message, fields) => out([level, message, fields, new Date()])
  const drain = () => {
    for (const line of kept.splice(0)) out(line)
  }
  process.once('exit', () => {
    if (kept.length) out = (line) => stderr.write(forPerson ? readable(line) : json(line))
    drain()
    stderr.finish(lastWait)
  })
  return {
    write,
    open: async () => {
      out = forPerson ? (line) => stderr.write(readable(line)) : await pinoLines(stderr)
      drain()
    },
    dropInfo: () => {
      kept = kept.filter(([level]) => level !== 'info')
    },
  }
}

const pinoLines = async (out: LineWriter) => {
  const { pino } = await import('pino')
  let at = new Date()
  const options = { base: null, timestamp: () => `,"time":"${at.toISOString()}"` }
  const log = pino(options, { write: (line: string) => out.write(`${visible(line.trimEnd())}\n`) })
  return ([level, message, fields, time]: Line) => {
    at = time
    log[level](fields, message)
  }
}

const levels = { info: 30, warn: 40, error: 50 } as const
const json = ([level, msg, fields, time]: Line): string =>
  `${visible(JSON.stringify({ level: levels[level], time, ...fields, msg }))}\n`

const readable = ([level, message, fields, time]: Line): string => {
  const pairs = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const colour = { info: 36, warn: 33, error: 31 }[level]
  const text = visible(`${message}${pairs.join('')}`)
  return `${time.toTimeString().slice(0, 8)} \u001b[${colour}m${level}\u001b[39m ${text}\n`
}

/** What a caller sent must not move the cursor of a terminal or start a line of its own. */
const visible = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
