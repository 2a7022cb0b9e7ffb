import { expect, vi } from 'vitest'
import { type Handler, type HttpBackend, type HttpOptions, httpBackend } from '../backends/http.ts'
import type { Backend, Place } from '../backends/listen.ts'
import { rawBackend } from '../backends/raw.ts'
import type { Http1 } from '../clients/h1.ts'
import { defer, type Open } from './world.ts'

/** Cases by the sentence that they prove. */
export type Cases = Readonly<Record<string, (open: Open) => Promise<void>>>

/** An HTTP backend that is closed when the test is over. */
export const backend = async (handler?: Handler | string, options?: HttpOptions): Promise<HttpBackend> => {
  const made = await httpBackend(handler, options)
  defer(made.close)
  return made
}
/** A backend of bytes that is closed when the test is over. */
export const bytesBackend = async (connected: (connection: Http1) => unknown, where?: Place): Promise<Backend> => {
  const made = await rawBackend(connected, where)
  defer(made.close)
  return made
}

/** Something that a test waits for and another place makes happen. */
export const signal = <T = void>() => {
  const { promise, resolve } = Promise.withResolvers<T>()
  return { happened: promise, happen: resolve }
}

/** Asserts that `read` comes to give `wanted`: for what an engine tells or does behind its answer. */
export const becomes = <T>(read: () => T | Promise<T>, wanted: T) => eventually(async () => expect(await read()).toEqual(wanted))

/** Resolves when the assertion holds, and rejects as it does when it has not held for long. */
export const eventually = (assertion: () => unknown) => vi.waitFor(assertion, { timeout: 20_000, interval: 50 })
