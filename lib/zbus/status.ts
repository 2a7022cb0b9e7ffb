import { type Fields, fields } from './answers.ts'
import { type ObjectId, objectName, type Request } from './frame.ts'
import { encode } from './msgpack.ts'
import type { WorkerStatus, Workers } from './workers.ts'

/** Answers `Status` in every module. */
export const statusObject: ObjectId = { name: 'zbus', version: '1.0' }

export interface Status {
  readonly objects: readonly ObjectId[]
  readonly workers: readonly WorkerStatus[]
}

export const statusOf = (objects: readonly ObjectId[], workers: Workers<Request>): Status => ({
  objects,
  workers: workers.status(({ object, method }) => `[${objectName(object)}].${method}()`),
})

/** As Go's `zbus.Status` decodes it. */
export const encodeStatus = ({ objects, workers }: Status): Uint8Array =>
  encode({
    Objects: objects.map(({ name, version }) => ({ Name: name, Version: version })),
    Workers: workers.map(({ state, since, action }) => ({ State: state, StartTime: since, Action: action })),
  })

export const decodeStatus = (value: unknown): Status => {
  const status = fields(value)
  return {
    objects: list(status?.get('Objects')).map((each) => ({ name: text(each, 'Name'), version: text(each, 'Version') })),
    workers: list(status?.get('Workers')).map((each) => {
      const since = each.get('StartTime')
      return {
        state: text(each, 'State') === 'busy' ? 'busy' : 'free',
        since: since instanceof Date ? since : new Date(0),
        action: text(each, 'Action'),
      }
    }),
  }
}

const list = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.map((each) => fields(each) ?? new Map()) : [])
const text = (of: Fields, key: string): string => String(of.get(key) ?? '')
