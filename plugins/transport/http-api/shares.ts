import { GatewayError } from '../../../core/index.ts'

/** Places for `what`: so many in all, and so many for each caller. `take` returns what gives the place back, or throws LIMIT. */
export const sharesOf = (o: { readonly all: number; readonly each: number; readonly what: string; readonly fix: string }) => {
  const taken = new Map<object, number>()
  let running = 0
  return {
    take(caller: object): () => void {
      const own = taken.get(caller) ?? 0
      if (own >= o.each) throw new GatewayError('LIMIT', `${own} ${o.what} already for this caller`, o.fix)
      if (running >= o.all) throw new GatewayError('LIMIT', `${running} ${o.what} already`, o.fix)
      taken.set(caller, own + 1)
      running++
      let given = true
      return () => {
        if (!given) return
        given = false
        running--
        const left = (taken.get(caller) ?? 1) - 1
        if (left > 0) taken.set(caller, left)
        else taken.delete(caller)
      }
    },
  }
}
