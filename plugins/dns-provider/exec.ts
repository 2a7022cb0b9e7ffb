import { spawn } from 'node:child_process'
import { DnsWriter, definePlugin, GatewayError, knownOptions, reason } from '../../core/index.ts'
import { blankSecrets } from '../../lib/blank-secrets.ts'
import { type DnsFailure, DnsFailure as Failure, unavailable } from '../../lib/dns/failure.ts'
import { type RemoteOptions, remoteWriter, secretOf, type TxtRecord, wrongRemote, wrongSecret } from '../../lib/dns/remote.ts'
import type { Secret } from '../../lib/secret.ts'
import { shown } from '../../lib/shown.ts'

export interface ExecOptions extends RemoteOptions {
  /** The program, a path or a name in PATH. Run without a shell as `command present|cleanup FQDN VALUE`, the name with a dot at its end. */
  readonly command: string
  /** `raw`: run as `command present|cleanup -- DOMAIN TOKEN KEY-AUTHORIZATION`. Only where the gateway itself orders. */
  readonly mode?: 'raw'
  /** Its environment beside PATH and HOME. */
  readonly env?: Readonly<Record<string, string | Secret>>
  /** How many run at the same time; 1 by default, since most such scripts edit a file. */
  readonly atOnce?: number
}

/** Has a program put the records up and take them away, by the convention of lego's exec provider. One that hangs is ended with all that it started. */
export const exec = (options: ExecOptions) => {
  knownOptions('exec', options, {
    zones: true,
    timeout: true,
    propagation: true,
    command: true,
    mode: true,
    env: true,
    atOnce: true,
  })
  const { command, mode, env = {}, atOnce = 1 } = checked(options)
  return definePlugin({
    name: 'dns-provider/exec',
    kind: 'dns-provider',
    options,
    provides: { dns: DnsWriter },
    setup() {
      const act = async (action: 'present' | 'cleanup', record: TxtRecord, signal: AbortSignal): Promise<void> => {
        const { values, secrets } = await environment(env)
        const args = mode === 'raw' ? rawArgs(record) : [`${record.name}.`, record.value]
        const variables = { ...values, ...(mode === 'raw' && { EXEC_MODE: 'RAW' }) }
        await run(command, [action, ...args], variables, secrets, signal).catch((error: unknown) => {
          // What Node throws at a variable that cannot be one has its value in it.
          throw error instanceof Failure ? error : unavailable(blankSecrets(reason(error), secrets))
        })
      }
      const remote = {
        atOnce,
        put: (record: TxtRecord, signal: AbortSignal) => act('present', record, signal),
        take: (record: TxtRecord, signal: AbortSignal) => act('cleanup', record, signal),
      }
      return { api: { dns: remoteWriter(options, remote, asError) } }
    },
  })
}

const rawArgs = ({ proof }: TxtRecord): readonly string[] => {
  if (!proof)
    throw new Failure(
      'BAD_REQUEST',
      "exec in mode 'raw' needs token and key authorization, which were not given",
      'have the gateway itself order, or leave `mode` out',
    )
  return ['--', proof.domain, proof.token, proof.keyAuthorization]
}

const environment = async (env: Readonly<Record<string, string | Secret>>) => {
  const values: Record<string, string> = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' }
  const secrets: string[] = []
  for (const [key, value] of Object.entries(env)) {
    const text = typeof value === 'string' ? value : await secretOf(value)
    if (typeof value !== 'string') secrets.push(text)
    values[key] = text
  }
  return { values, secrets }
}

const kept = 4_096
const run = (
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  secrets: readonly string[],
  signal: AbortSignal,
) =>
  new Promise<void>((resolve, reject) => {
    signal.throwIfAborted()
    // The leader of a group of its own, so that what it started ends with it.
    const child = spawn(command, args, { env, detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    const kill = (name: NodeJS.Signals) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, name)
      } catch {
        // It is gone.
      }
    }
    let hard: NodeJS.Timeout | undefined
    const stop = () => {
      kill('SIGTERM')
      hard = setTimeout(() => kill('SIGKILL'), 1_000)
    }
    signal.addEventListener('abort', stop, { once: true })
    const done = () => {
      signal.removeEventListener('abort', stop)
      clearTimeout(hard)
      // What it left behind holds nothing of ours.
      child.stderr.destroy()
      if (signal.aborted) kill('SIGKILL')
    }
    child.stderr.on('data', (chunk) => {
      said = (said + chunk).slice(-kept)
    })
    child.once('error', (error) => {
      done()
      reject(unavailable(`the program ${command} cannot be run: ${error.message}`, 'give the path of an executable file', error))
    })
    child.once('exit', (code, by) => {
      // Its last words may still be in the pipe.
      setImmediate(() => {
        done()
        // Before it is cut to a line: a secret may stand across lines.
        const clean = blankSecrets(said.trim(), secrets).split('\n').at(-1) ?? ''
        if (code === 0) resolve()
        else
          reject(
            unavailable(
              `${command} ${args[0]} ended with ${by ?? `code ${code}`}${clean && `: ${shown(clean)}`}`,
              'run it by hand to see why',
            ),
          )
      })
    })
  })

const asError = ({ code, message, fix, cause }: DnsFailure) => new GatewayError(code, message, fix, { cause })

const checked = (options: ExecOptions): ExecOptions => {
  const { command, mode, env = {}, atOnce = 1 } = options
  const [bad] = Object.entries(env).flatMap(([key, value]) =>
    typeof value === 'string' ? [] : (wrongSecret(`env.${key}`, value) ?? []),
  )
  const wrong =
    wrongRemote(options) ??
    bad ??
    (typeof command === 'string' && command !== ''
      ? undefined
      : { wrong: 'command is missing', fix: 'give the path of the program' }) ??
    (mode === undefined || mode === 'raw'
      ? undefined
      : { wrong: `mode is '${shown(String(mode))}'`, fix: "give 'raw', or leave it out" }) ??
    (Number.isInteger(atOnce) && atOnce > 0 ? undefined : { wrong: `atOnce is ${atOnce}`, fix: 'give a whole number above 0' })
  if (wrong) throw new GatewayError('CONFIG_INVALID', `exec: ${wrong.wrong}`, wrong.fix)
  return options
}
