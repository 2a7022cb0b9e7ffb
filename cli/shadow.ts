import { chmodSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { checkConfig } from '../core/config.ts'
import { asGatewayError, errorCodes, GatewayError } from '../core/errors.ts'
import { createGateway } from '../core/gateway.ts'
import type { ShadowLine as Line, ShadowSummary as Summary } from '../plugins/index.ts'
import { shadowed } from '../presets/shadow.ts'
import { readFlags } from './flags.ts'
import { leftFolders } from './left-folders.ts'
import { chooseConfig, loadConfig } from './load-config.ts'
import { createLog } from './log.ts'
import { print } from './output.ts'
import { defaultRoot } from './place.ts'
import type { RunFlags } from './serve.ts'

/** Where a Zero-OS node has its Redis. */
const usualBroker = 'unix:///var/run/redis.sock'
/** The exit code where differences were found. */
const differed = 2

/** Runs beside the Go module until a signal ends it: hears, compares, reports. Changes nothing but its own folder `<root>/shadow`. */
export const shadow = async (given: RunFlags): Promise<void> => {
  const { config: named, preset, ...flags } = readFlags(given, process.env)
  const root = resolve(flags.root ?? defaultRoot())
  const own = join(root, 'shadow')
  confine(own)
  // One that comes during the start is obeyed behind it.
  const asked = signalled()
  const { config } = await loadConfig(chooseConfig(named, preset), flags, preset)
  const folders = leftFolders(given.from === undefined ? undefined : resolve(given.from), root)
  const log = createLog()
  const tell = given.json ? (value: object) => print(JSON.stringify(value)) : undefined
  let ended = (_: Summary) => {}
  const summary = new Promise<Summary>((done) => {
    ended = done
  })
  const end = new AbortController()
  const options = {
    until: end.signal,
    broker: flags.broker ?? usualBroker,
    password: flags.brokerPassword,
    folders,
    told: tell ?? ((line: Line) => print(lineOf(line))),
    ended,
  }
  const plugins = shadowed(checkConfig(config).plugins, options)
  const gateway = await createGateway({ plugins }, { root: own, log: log.write })
  const first = `beside ${folders.join(' and ')}: ${gateway.status().routes} workloads; nobody is served, nothing is changed`
  if (!given.quiet && !given.json) print(`zos-gateway ${gateway.status().version} is a shadow ${first}`)
  await log.open()
  // While Redis is away nothing else keeps the process.
  setInterval(() => undefined, 2 ** 30)
  await asked
  end.abort()
  const sums = await summary
  await gateway.close().catch((error) => log.write('error', asGatewayError(error).text, {}))
  if (tell) tell({ summary: sums })
  else print(...summaryOf(sums, join(own, 'report.jsonl')))
  process.exit(sums.different > 0 ? differed : 0)
}

/**
 * Starts over in the same process, as one that Node itself lets write nowhere but to its own folder and start nothing: then no plugin,
 * not even one of the operator's, can change what the Go module lives by.
 */
const confine = (own: string): void => {
  if (process.permission) {
    if (process.permission.has('fs.write', resolve(own, '..')) || process.permission.has('child'))
      throw unconfined('it may write')
    return
  }
  mkdirSync(own, { recursive: true, mode: 0o700 })
  chmodSync(own, 0o700)
  if (!process.execve) throw unconfined(`Node ${process.versions.node} cannot start over`)
  const allowed = ['--permission', '--allow-fs-read=*', `--allow-fs-write=${own}`]
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...allowed, ...process.argv.slice(1)], process.env)
}

const unconfined = (why: string): GatewayError =>
  new GatewayError(
    'CONFIG_INVALID',
    `the shadow cannot be kept from changing anything: ${why}`,
    'run it on Node 24 or newer on Linux',
  )

const signalled = () =>
  new Promise<void>((done) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.once(signal, () => {
        // A second one ends it at once.
        process.once(signal, () => process.exit(errorCodes.STOPPING.exit))
        done()
      })
  })

const lineOf = ({ at, about, id, verdict, theirs, ours }: Line): string =>
  `${at.toISOString().slice(0, 19)} ${verdict.padEnd(9)} ${about} ${id}: the Go module ${theirs} | this gateway ${ours}`

const summaryOf = (
  { requests, same, better, different, unknown, metrics, unanswered, workloads, since }: Summary,
  file: string,
) => [
  `since ${since.toISOString().slice(0, 19)}: ${requests} requests, ${workloads} workloads at the end`,
  `  ${same} same, ${better} better by a decided rule, ${different} different, ${unknown} not to be compared`,
  `  ${metrics} of Metrics, which are not compared; ${unanswered} without an answer`,
  `  every comparison: ${file}`,
]
