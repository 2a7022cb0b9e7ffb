import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { GatewayError, reason } from '../../../core/index.ts'

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
  close(): Promise<void>
}

// A disk that does not follow must not fill the memory.
const mostUnwritten = 8 * 1_048_576
// What terminals obey and JSON lets through.
const odd = /[\x7f-\x9f\u2028\u2029\p{Bidi_Control}]/gu

/** One JSON document a line, at the end of a file (mode 0600) or to standard output. Rejects where the file cannot be opened. */
export const openAccessLog = async (target: string, log: (message: string) => void): Promise<AccessLog> => {
  const out: Writable = target === 'stdout' ? process.stdout : await openFile(target)
  let broken = false
  const failed = (error: Error) => {
    if (!broken) log(`the access log ${target} cannot be written: ${error.message}`)
    broken = true
  }
  out.on('error', failed)
  return {
    write: (access) => {
      if (broken || out.writableLength > mostUnwritten) return
      out.write(`${accessLine(access)}\n`)
    },
    close: async () => {
      out.off('error', failed)
      if (out === process.stdout || broken) return
      await new Promise<void>((done) => out.on('error', () => done()).end(done))
    },
  }
}

export const accessLine = (access: Access): string =>
  JSON.stringify({ time: new Date().toISOString(), ...access }).replace(
    odd,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** A link there could have been planted to have some other file written. */
const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants

const openFile = async (path: string): Promise<Writable> => {
  try {
    const file = await open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600)
    return file.createWriteStream()
  } catch (cause) {
    const link = cause instanceof Error && 'code' in cause && cause.code === 'ELOOP'
    throw new GatewayError(
      'CONFIG_INVALID',
      `the access log ${path} cannot be opened: ${link ? 'it is a symbolic link' : reason(cause)}`,
      link ? 'name the file itself, or remove the link' : 'name a file in a folder that exists',
      { cause },
    )
  }
}
