import type { Supervisor } from '../../../core/index.ts'
import type { Api } from './api.ts'
import { httpProvider, startEndpoint } from './endpoint/index.ts'
import { httpSide } from './endpoint/side.ts'
import { Feed } from './feed.ts'
import { fileSide } from './file-side.ts'
import type { Folder } from './folder.ts'
import type { Publisher } from './publisher.ts'
import type { Settings } from './settings.ts'
import { sharedDocument, sharedOverHttp } from './shared.ts'

interface Given {
  readonly settings: Settings
  readonly folder: Folder
  /** Where the endpoint keeps its files. */
  readonly state: string
  readonly token: string
  /** The URL that answers http-01 challenges. */
  readonly challenges: string | undefined
  readonly api: Api
  readonly supervisor: Supervisor
  readonly publisher: () => Publisher
  readonly running: () => boolean
  /** Of the Traefik that runs. */
  readonly pid: () => number | undefined
  readonly silent: () => string | undefined
  readonly hangUp: () => void
  readonly unwell: (why: string) => void
  readonly log: (message: string) => void
  readonly signal: AbortSignal
}

interface Feeding {
  readonly feed: Feed
  /** The part of Traefik's static configuration for routes over HTTP. */
  readonly provider: object | undefined
  /** A Traefik that runs now is about to end, within so many seconds. */
  letGo(seconds: number): Promise<void>
}

/** What feeds Traefik as the options say. */
export const openFeed = async (o: Given): Promise<Feeding> => {
  const { settings, token, publisher, unwell } = o
  const { routes, overHttp, netns } = settings
  const place = { folder: `${o.state}/endpoint`, port: overHttp.port }
  const onExit = (why: string) => unwell(`the process that serves it its routes ended: ${why}`)
  const endpoint =
    routes === 'files'
      ? undefined
      : await startEndpoint(o.supervisor, { ...place, netns, keep: settings.keepServing, first: overHttp.first, onExit })
  const limits = {
    auto: { above: overHttp.above, below: overHttp.above / 2 },
    files: { above: Number.POSITIVE_INFINITY, below: Number.POSITIVE_INFINITY },
    http: { above: -1, below: -1 },
  }
  const feed = new Feed({
    file: fileSide({
      folder: o.folder,
      shared: (generation) => sharedDocument(settings, token, generation, o.challenges),
      api: o.api,
      pid: o.pid,
      hangUp: o.hangUp,
      signal: o.signal,
    }),
    http: endpoint && httpSide(endpoint, o.api, (generation) => sharedOverHttp(token, generation)),
    ...limits[routes],
    api: o.api,
    running: o.running,
    silent: o.silent,
    publish: () => publisher().publish(),
    served: (generation, signal) => publisher().served(generation, signal),
    moved: (to) => o.log(to === 'http' ? 'Traefik gets its routes over HTTP now' : 'Traefik gets its routes from files now'),
    failed: unwell,
    signal: o.signal,
  })
  return {
    feed,
    provider: endpoint && (await httpProvider(place)),
    letGo: async (seconds) => endpoint?.client.letGo(seconds * 1_000),
  }
}
