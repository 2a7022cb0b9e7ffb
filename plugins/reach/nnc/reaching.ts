import {
  type Core,
  type Draft,
  GatewayError,
  type Hooks,
  type Neighbours,
  reason,
  type Supervisor,
  type WorkloadId,
} from '../../../core/index.ts'
import { type Backend, backendAddress, parseBackend } from '../../../lib/backend.ts'
import { type Bridge, openBridges } from './bridges.ts'
import { keeper } from './keep.ts'
import { namespaceOf } from './network.ts'
import { freeName, readUnit, type Settings, type Unit } from './unit.ts'

type Given = Pick<Core, 'log' | 'phase' | 'routes' | 'state'> & {
  readonly neighbours: Neighbours
  readonly supervisor: Supervisor
}

/** The hooks of reach, and what is bridged now, by workload. */
export const reaching = async (core: Given, settings: Settings): Promise<Hooks['reach'] & { close(): Promise<void> }> => {
  const { neighbours, supervisor } = core
  const kept = keeper(core.state)
  const bridges = openBridges(supervisor, settings, core.log)
  const running = new Map<WorkloadId, readonly Bridge[]>()
  const bridgesOf = (id: WorkloadId) => running.get(id) ?? []

  const forget = (id: WorkloadId, gone: Bridge) => {
    const rest = bridgesOf(id).filter((one) => one !== gone)
    if (rest.length) running.set(id, rest)
    else running.delete(id)
  }
  /** As it was before this gateway, or this plugin, started: at once, and up as soon as the namespaces are there. */
  const resume = async (id: WorkloadId, units: readonly Unit[]): Promise<void> => {
    const resumed = await Promise.all(units.map((unit) => bridges.run(unit)))
    if (resumed.length > 0) running.set(id, resumed)
  }
  const before = (id: WorkloadId, network: string, targets: readonly string[]): readonly Unit[] | undefined => {
    const known = kept.read(id)
    const units = targets.flatMap((target) => known?.units.find((unit) => unit.target === target) ?? [])
    return known?.network === network && units.length === targets.length ? units : undefined
  }
  /** An nnc that the Go module left running for this workload. */
  const left = async (id: WorkloadId): Promise<readonly Unit[]> => {
    const name = freeName(id, [])
    const found = await supervisor.left?.(name)
    const unit = found && readUnit(name, found.args)
    return unit ? [unit] : []
  }
  /** The units for these targets: those that run already stay as they are, the others are started beside them. */
  const bridge = async (draft: Draft, network: string, targets: readonly string[], signal: AbortSignal) => {
    const { id } = draft
    const there = await namespaceOf(neighbours, { id, network }, { signal, timeout: settings.timeout })
    const strangers = running.has(id) ? [] : await left(id)
    const fresh: Bridge[] = []
    const stayed: Bridge[] = []
    const make = async (target: string): Promise<Bridge> => {
      const all = [...bridgesOf(id), ...fresh]
      const fits = (unit: Unit) => unit.namespace === there && unit.target === target
      const up = all.find((one) => fits(one.unit) && bridges.isUp(one))
      if (up) {
        // At once: by the time that the others are up its last connection may have ended.
        if (bridges.stay(up)) stayed.push(up)
        return up
      }
      const names = [...all.map(({ unit }) => unit), ...strangers]
      const stranger = strangers.find(fits)
      const unit = stranger ?? { name: freeName(id, names), port: bridges.takePort(network), namespace: there, target }
      const made = await (core.phase() === 'starting' ? bridges.run(unit) : bridges.start(unit, network, signal))
      fresh.push(made)
      return made
    }
    try {
      const wanted: Bridge[] = []
      for (const target of targets) wanted.push(await make(target))
      const all = [...bridgesOf(id), ...fresh]
      await kept.write(id, { network, units: all.map(({ unit }) => unit) })
      running.set(id, all)
      return wanted.map(({ unit }) => unit)
    } catch (error) {
      for (const one of stayed) bridges.retire(one, () => forget(id, one))
      await Promise.all(fresh.map(bridges.stop))
      throw error
    }
  }

  // Where a reload puts this plugin in the place of another: what that runs is taken over before it lets go.
  for (const { id, network, via } of core.routes.all()) {
    const known = via && kept.read(id)
    if (known && known.network === network)
      await resume(id, known.units).catch((error) => core.log(`${id} is not bridged: ${reason(error)}`))
  }

  return {
    async reach(draft, signal) {
      const { id, network, backends, passthrough } = draft
      if (network === undefined) return backends
      const wanted = targetsOf(draft)
      const targets = [...new Set(wanted.map(backendAddress))]
      const known = core.phase() === 'starting' ? before(id, network, targets) : undefined
      if (known) await resume(id, known)
      const units = known ?? (await bridge(draft, network, targets, signal))
      return wanted.map((backend) => {
        const unit = units.find(({ target }) => target === backendAddress(backend))
        return `${passthrough ? '' : `${backend.scheme}://`}127.0.0.1:${unit?.port}`
      })
    },
    async release(id, keep) {
      if (!running.has(id)) await resume(id, await left(id))
      const ports = new Set(keep.map((text) => Number(/:(\d+)$/.exec(text)?.[1])))
      const rest = bridgesOf(id).filter(({ unit }) => ports.has(unit.port))
      for (const one of bridgesOf(id))
        if (!rest.includes(one) && !bridges.isLeaving(one)) bridges.retire(one, () => forget(id, one))
      const known = kept.read(id)
      if (!known) return
      // What is written of one that is gone is of no use and no harm.
      await kept
        .write(id, { network: known.network, units: rest.map(({ unit }) => unit) })
        .catch((error) => core.log(`${id} is not written down: ${reason(error)}`))
    },
    async close() {
      await bridges.close()
      await Promise.all([...running.values()].flat().map(({ supervised }) => supervised.release()))
    },
  }
}

const targetsOf = ({ backends, passthrough }: Draft): readonly Backend[] =>
  backends.map((text) => {
    const backend = parseBackend(text, passthrough)
    if (typeof backend === 'string') throw new GatewayError('INVALID_BACKEND', `backend ${text}: ${backend}`, 'give ip:port')
    return backend
  })
