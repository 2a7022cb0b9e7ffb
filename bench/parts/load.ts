import { join } from 'node:path'
import { need } from './find.ts'
import { tree } from './places.ts'
import { run } from './process.ts'

export interface Load {
  readonly requests: number
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/**
 * Keeps 64 connections busy for some seconds: with a request each all the time, or with about `rate` requests a second in all.
 * Rejects where any of them failed.
 */
export const load = async (url: string, seconds: number, rate?: number): Promise<Load> => {
  const wrk = need('wrk', 'it is in Debian (sudo apt-get install wrk)')
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '--latency', '-s']
  const pace = rate === undefined ? [] : ['--', String(connections / rate)]
  const out = await run(wrk, [...args, join(tree, 'bench/parts/load.lua'), url, ...pace])
  const failures = /Socket errors:.*|Non-2xx.*/.exec(out)?.[0]
  const requests = Number(/(\d+) requests in/.exec(out)?.[1] ?? 0)
  if (failures !== undefined || requests === 0) throw new Error(`${url} under load: ${failures ?? 'no request was answered'}`)
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(out)?.[1])
  return { requests, perSecond, p50: latency(out, '50%'), p99: latency(out, '99%') }
}

const connections = 64

const latency = (out: string, part: string): number => {
  const [, value, unit = ''] = new RegExp(`^ +${part} +([\\d.]+)(us|ms|s)`, 'm').exec(out) ?? []
  return Number(value) * ({ us: 0.001, ms: 1, s: 1000 }[unit] ?? Number.NaN)
}
