import { type Bytes, type Certificate, definePlugin, type Route, type WorkloadId, type Write } from '../../../core/index.ts'

/** Keeps everything in this process and nothing on disk: for tests, and for programs that set all routes again at start. */
export const memory = () =>
  definePlugin({
    name: 'store/memory',
    kind: 'store',
    options: {},
    setup: () => {
      const routes = new Map<WorkloadId, Route>()
      const certificates = new Map<string, Certificate>()
      const bytes = new Map<WorkloadId, Bytes>()
      const state = new Map<string, Uint8Array>()

      const apply = (write: Write) => {
        if ('put' in write) routes.set(write.put.id, stored(write.put))
        else if ('remove' in write) routes.delete(write.remove.id)
        else if ('certificate' in write) certificates.set(write.certificate.id, write.certificate)
        else if ('drop' in write) certificates.delete(write.drop)
        else if ('state' in write) write.value ? state.set(write.state, write.value.slice()) : state.delete(write.state)
        else for (const [id, sum] of write.ledger) sum ? bytes.set(id, sum) : bytes.delete(id)
      }
      return {
        load: () => ({
          routes: [...routes.values()],
          certificates: [...certificates.values()],
          bytes: new Map(bytes),
          state: new Map(Array.from(state, ([key, value]) => [key, value.slice()])),
        }),
        commit: async (writes) => writes.forEach(apply),
      }
    },
  })

const stored = ({ via: _, ...route }: Route): Route => Object.freeze(route)
