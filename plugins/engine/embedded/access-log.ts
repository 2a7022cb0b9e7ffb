import { GatewayError, reason } from '../../../core/index.ts'
import { LineWriter } from '../../../lib/line-writer.ts'
import type { EngineHealth } from './engine-health.ts'
import { LogFile, type LogFileEvents } from './log-file.ts'

/** What is written of a request, or of a passed-through connection, once it is over. Never a header field: they carry secrets. */
export interface Access {
  readonly workload: string
  readonly host: string
  readonly client: string
  readonly protocol: string
  readonly method?: string
  readonly path?: string
  readonly status?: number
  readonly backend?: string
  /** Bytes of the bodies, or of all there was where no HTTP is. */
  readonly request: number
  readonly response: number
  readonly milliseconds: number
}
export interface AccessLog {
  write(access: Access): void
  /** Follows the path now where the file was renamed. */
  reopen(): Promise<void>
  close(): Promise<void>
}

// What terminals obey and JSON lets through.
const odd = /[\x7f-\x9f\u2028\u2029\p{Bidi_Control}]/gu

type Log = (message: string) => void

/** One JSON document a line, at the end of a file (mode 0600) or to standard output. Rejects where the file cannot be opened. */
export const openAccessLog = async (target: string, log: Log, health: EngineHealth): Promise<AccessLog> => {
  if (target === 'stdout') return toStandardOutput(log)
  const file = await openFile(target, {
    failed: (error) => {
      const text = `the access log ${target} cannot be written: ${error.message}`
      log(`${text}. Free disk space or fix its folder; it is tried again every second.`)
      health.trouble('access log', text)
    },
    resumed: (dropped) => {
      log(`the access log ${target} is written again; ${dropped} lines were dropped`)
      health.trouble('access log', undefined)
    },
  })
  return {
    write: (access) => file.write(`${accessLine(access)}\n`),
    reopen: () => file.reopen(),
    close: () => file.close(),
  }
}

const toStandardOutput = (log: Log): AccessLog => {
  const out = new LineWriter(1, (dropped) => log(`${dropped} lines of the access log were dropped: standard output was not read`))
  return {
    write: (access) => out.write(`${accessLine(access)}\n`),
    reopen: async () => undefined,
    close: async () => out.finish(0),
  }
}

export const accessLine = (access: Access): string =>
  JSON.stringify({ time: new Date().toISOString(), ...access }).replace(
    odd,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const openFile = async (path: string, events: LogFileEvents): Promise<LogFile> => {
  try {
    return await LogFile.open(path, events)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    const link = code === 'ELOOP'
    const why = link ? 'it is a symbolic link' : code === 'ENXIO' ? 'it is a pipe that nobody reads' : reason(cause)
    throw new GatewayError(
      'CONFIG_INVALID',
      `the access log ${path} cannot be opened: ${why}`,
      link ? 'name the file itself, or remove the link' : 'name a file in a folder that exists',
      { cause },
    )
  }
}
