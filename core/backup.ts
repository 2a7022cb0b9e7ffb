import { createHash } from 'node:crypto'
import { lstat, mkdir, readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { writeFileAtomic } from '../lib/atomic-file.ts'
import { isWorkloadId } from '../lib/workload-id.ts'
import { GatewayError, reason } from './errors.ts'
import type { Bytes, Certificate, Route, Tls, WorkloadId } from './operation.ts'
import type { Stored, Write } from './plugin.ts'
import { version } from './version.ts'

/** Of this file format. A gateway reads what earlier ones wrote. */
const format = 1

interface Kept {
  /** Below the root. */
  readonly path: string
  readonly content: Uint8Array
}
export interface Backup {
  readonly writes: readonly Write[]
  readonly files: readonly Kept[]
  readonly routes: number
  readonly certificates: number
}

/** A backup as lines of JSON: what wrote it, a record a line, and at last their number and the SHA-256 of all before. Private keys are in it. */
export function* backupLines(stored: Stored, files: readonly Kept[]): Generator<string> {
  const hash = createHash('sha256')
  let records = 0
  const line = (value: unknown): string => {
    const text = `${JSON.stringify(value)}\n`
    hash.update(text)
    records++
    return text
  }
  yield line({ 'zos-gateway backup': format, version, made: new Date().toISOString() })
  for (const { via: _, ...route } of stored.routes) yield line({ route })
  for (const certificate of stored.certificates) yield line({ certificate })
  for (const [id, { request, response }] of stored.bytes) yield line({ bytes: [id, request, response] })
  for (const [state, value] of stored.state) yield line({ state, value: Buffer.from(value).toString('base64') })
  for (const { path, content } of files) yield line({ file: path, content: Buffer.from(content).toString('base64') })
  yield `${JSON.stringify({ end: records, sha256: hash.digest('hex') })}\n`
}

/** Reads a backup whole, or throws BAD_REQUEST: what is cut off or was changed is not restored in part. */
export const readBackup = (text: string): Backup => {
  const last = text.trimEnd().lastIndexOf('\n') + 1
  const lines = text.slice(0, last).split('\n').slice(0, -1)
  const head = parse(lines[0] ?? '', 1)
  const written = head['zos-gateway backup']
  if (typeof written !== 'number') throw bad('is no backup of a gateway', 'give a file that `gateway backup` wrote')
  if (written > format)
    throw bad(`has format ${written}, and this gateway reads up to ${format}`, `restore it with version ${String(head.version)}`)
  const end = parse(text.slice(last), lines.length + 1)
  const sum = createHash('sha256').update(text.slice(0, last)).digest('hex')
  if (end.end !== lines.length || end.sha256 !== sum)
    throw bad('is cut off or was changed', 'take another copy of it; nothing was restored')
  const writes: Write[] = []
  const files: Kept[] = []
  const ledger = new Map<WorkloadId, Bytes>()
  for (const [at, line] of lines.slice(1).entries()) {
    const record = parse(line, at + 2)
    const wrong = () => bad(`has a line ${at + 2} that cannot be read`, 'restore it with the version that wrote it')
    if (isRoute(record.route)) writes.push({ put: record.route })
    else if ('certificate' in record) writes.push({ certificate: certificateOf(record.certificate) ?? fail(wrong()) })
    else if (isBytes(record.bytes)) {
      const [id, request, response] = record.bytes
      ledger.set(id, { request, response })
    } else if (typeof record.state === 'string' && typeof record.value === 'string')
      writes.push({ state: record.state, value: Buffer.from(record.value, 'base64') })
    else if (isPath(record.file) && typeof record.content === 'string')
      files.push({ path: record.file, content: Buffer.from(record.content, 'base64') })
    else throw wrong()
  }
  const count = (key: string) => writes.filter((write) => key in write).length
  const [routes, certificates] = [count('put'), count('certificate')]
  return { writes: [...writes, ...(ledger.size > 0 ? [{ ledger }] : [])], files, routes, certificates }
}

/** The files of these, as they are now; what is no plain file is left out. */
export const readKept = async (root: string, paths: Iterable<string>): Promise<readonly Kept[]> => {
  const found: Kept[] = []
  for (const given of paths) {
    const path = isAbsolute(given) ? relative(root, given) : given
    const info = isPath(path) ? await lstat(join(root, path)).catch(() => undefined) : undefined
    if (info?.isFile()) found.push({ path, content: await readFile(join(root, path)) })
  }
  return found
}

/** Mode 0600, in folders of mode 0700. */
export const writeKept = async (root: string, files: readonly Kept[]): Promise<void> => {
  for (const { path, content } of files) {
    const place = join(root, path)
    await mkdir(dirname(place), { recursive: true, mode: 0o700 })
    await writeFileAtomic(place, content)
  }
}

const parse = (line: string, number: number): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(line)
    if (isRecord(value)) return value
  } catch (error) {
    throw bad(`has a line ${number} that is no JSON: ${reason(error)}`, 'is it a backup? give a file that `gateway backup` wrote')
  }
  throw bad('is no backup of a gateway', 'give a file that `gateway backup` wrote')
}
const bad = (message: string, fix: string) => new GatewayError('BAD_REQUEST', `the file ${message}`, fix)
const fail = (error: Error): never => {
  throw error
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')
const isCount = (value: unknown): value is number => typeof value === 'number' && value >= 0
/** Below the root and nowhere else. */
const isPath = (value: unknown): value is string =>
  typeof value === 'string' && value.split('/').every((part) => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/.test(part))
const isTls = (value: unknown): value is Tls =>
  isRecord(value) &&
  (value.mode === 'passthrough' || (value.mode === 'terminate' && typeof value.resolver === 'string' && isTexts(value.names)))
const isRoute = (value: unknown): value is Route =>
  isRecord(value) &&
  typeof value.id === 'string' &&
  isWorkloadId(value.id) &&
  typeof value.host === 'string' &&
  typeof value.tenant === 'string' &&
  typeof value.passthrough === 'boolean' &&
  isTexts(value.backends) &&
  isTls(value.tls)
const isBytes = (value: unknown): value is readonly [WorkloadId, number, number] =>
  Array.isArray(value) && typeof value[0] === 'string' && isCount(value[1]) && isCount(value[2])
const certificateOf = (value: unknown): Certificate | undefined => {
  if (!isRecord(value)) return undefined
  const { id, resolver, names, chain, key, notBefore, notAfter } = value
  const [from, to] = [new Date(String(notBefore)), new Date(String(notAfter))]
  if (typeof id !== 'string' || typeof resolver !== 'string' || !isTexts(names)) return undefined
  if (typeof chain !== 'string' || typeof key !== 'string' || Number.isNaN(from.getTime() + to.getTime())) return undefined
  return { id, resolver, names, chain, key, notBefore: from, notAfter: to }
}
