import type { GatewayError, Routes } from '../../../core/index.ts'

/** Lists of names whose last order failed: so many are remembered. */
const most = 1_000

/** What is failing now, of what workloads still use. */
export const failing = (routes: Routes) => {
  const failed = new Map<string, { readonly names: readonly string[]; readonly error: GatewayError }>()
  const isUsed = (names: readonly string[]): boolean => {
    const [first = ''] = names
    if (names.length === 1 && !first.startsWith('*.')) return routes.byHost(first) !== undefined
    for (const { tls } of routes.all()) if (tls.mode === 'terminate' && tls.names.join() === names.join()) return true
    return false
  }
  return {
    failed(names: readonly string[], error: GatewayError): void {
      failed.delete(names.join())
      failed.set(names.join(), { names, error })
      const [oldest] = failed.keys()
      if (failed.size > most && oldest !== undefined) failed.delete(oldest)
    },
    issued: (names: readonly string[]) => void failed.delete(names.join()),
    /** In words; `undefined` where nothing fails. */
    summary(): string | undefined {
      for (const [key, { names }] of failed) if (!isUsed(names)) failed.delete(key)
      const [first] = failed.values()
      if (!first) return undefined
      const { names, error } = first
      const others = failed.size > 1 ? ` and ${failed.size - 1} more` : ''
      return `no certificate for ${names.join(', ')}${others}: ${error.code}: ${error.message} (${error.fix})`
    },
  }
}
