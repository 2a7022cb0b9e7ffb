import type { RunningGateway, WorkloadId } from '../../core/index.ts'
import { embedded } from '../../plugins/index.ts'
import { type Authority, createAuthority } from '../kit/authority.ts'
import { anyHost, issued } from '../kit/engine/plugins.ts'
import { defer } from '../kit/engine/world.ts'
import { freePort, http1, httpBackend, openTls } from '../kit/index.ts'
import { type OldRoute, underLoad } from './old-route.ts'

const host = 'old.tenant.test'

/** Another tenant's route, for a gateway of which something else is tried: the plugins that serve it, and its client once that runs. `of`: whose its certificate is, where a gateway after it has the same store. */
export const beside = async (of?: Authority) => {
  const [http, https, authority, web] = [
    await freePort(),
    await freePort(),
    of ?? (await createAuthority()),
    await httpBackend('old'),
  ]
  defer(web.close)
  return {
    plugins: [anyHost(), issued(authority), embedded({ http: { port: http }, https: { port: https } })],
    load: async (gateway: RunningGateway): Promise<OldRoute> => {
      const asked = {
        do: 'set-fqdn',
        id: '900-1-old' as WorkloadId,
        fqdn: host,
        backends: [web.url],
        passthrough: false,
      } as const
      await gateway.dispatch(asked, { wait: 'live' })
      const connect = async () => http1(await openTls({ port: https }, { name: host, ca: authority.root }))
      return underLoad({ host, text: 'old', connect })
    },
  }
}
