import { createWriteStream } from 'node:fs'
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
const odd = /[\x7f-\x9f\u2028\u2029]/g

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

const openFile = (path: string): Promise<Writable> =>
  new Promise((resolve, reject) => {
    const out = createWriteStream(path, { flags: 'a', mode: 0o600 })
    const refuse = (error: Error) =>
      reject(
        new GatewayError(
          'CONFIG_INVALID',
          `the access log ${path} cannot be opened: ${reason(error)}`,
          'name a file in a folder that exists',
          {
            cause: error,
          },
        ),
      )
    out.once('error', refuse)
    out.once('open', () => {
      out.off('error', refuse)
      resolve(out)
    })
  })
