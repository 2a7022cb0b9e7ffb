import { request } from 'node:http'
import { join } from 'node:path'
import { execa } from 'execa'
import { bin } from '../../../cli/gateway-process.ts'

export interface Seen {
  /** `gateway status` on one line, and its exit code. */
  readonly status: string
  readonly exitCode: number | undefined
  /** The status of /readyz. */
  readonly readyz: number
}

/** What an operator sees of the gateway of this root. */
export const seen = async (root: string): Promise<Seen> => {
  const { stdout, exitCode } = await execa(process.execPath, [bin, 'status', '--root', root], { reject: false })
  const readyz = await statusOf(join(root, 'gateway.sock'), '/readyz')
  return { status: stdout.replaceAll(/\s+/g, ' '), exitCode, readyz }
}

const statusOf = (socketPath: string, path: string) =>
  new Promise<number>((done, fail) => {
    request({ socketPath, path }, (answer) => done(answer.resume().statusCode ?? 0))
      .once('error', fail)
      .end()
  })
