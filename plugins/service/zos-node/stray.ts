import type { Core, PublicConfig } from '../../../core/index.ts'

const most = 5

/** Names that are served under a domain that is no longer the node's stay served; the operator hears of them, once for each change. */
export const strayReport = ({ routes, emit }: Pick<Core, 'routes' | 'emit'>): ((config: PublicConfig | undefined) => void) => {
  let told = ''
  return (config) => {
    const domain = config?.domain
    const stray = [...routes.all()].filter(({ zone }) => zone !== undefined && zone !== domain)
    const now = stray.length === 0 ? '' : `${domain} ${stray.length}`
    if (now !== '' && now !== told) {
      const named = stray.slice(0, most).map(({ id, host }) => `${id} (${host})`)
      const more = stray.length > most ? ` and ${stray.length - most} more` : ''
      emit({
        type: 'alarm',
        code: 'NO_DOMAIN',
        message: `workloads are served under a domain that is not the node's (${domain ?? 'it has none'}): ${named.join(', ')}${more}`,
        fix: 'have them set again under the domain of now, or delete them; until then they are served as they were set',
      })
    }
    told = now
  }
}
