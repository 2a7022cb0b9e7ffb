import { expect } from 'vitest'
import { backend } from '../kit/engine/cases.ts'
import { engines } from './engines.ts'
import { faultOn } from './fault.ts'
import { h2spec } from './h2spec.ts'
import { oldRoute } from './old-route.ts'

/** What h2spec v2.2.1 asks and Go's HTTP/2, which is Traefik's, does not do; each with the reason. */
const ofGo: Readonly<Record<string, string>> = {
  'http2/4.2: Sends a large size HEADERS frame that exceeds the SETTINGS_MAX_FRAME_SIZE':
    'Go announces frames of 1 MiB, and h2spec sends one of 16 KiB and a bit more',
  'http2/6.5.3: Sends multiple values of SETTINGS_INITIAL_WINDOW_SIZE':
    'Go refuses SETTINGS that hold one parameter twice (golang.org/x/net/http2: SettingsFrame.HasDuplicates)',
  'http2/8.1.2.2: Sends a HEADERS frame that contains the connection-specific header field':
    'Go answers such a request with 400 in place of a reset',
  'http2/8.1.2.2: Sends a HEADERS frame that contains the TE header field with any value other than "trailers"':
    'Go answers such a request with 400 in place of a reset',
  'http2/8.1.2.6: Sends a HEADERS frame with the "content-length" header field which does not equal the sum of the multiple DATA frames payload length':
    'Go may have answered before the frame that makes it wrong is there',
  'http2/8.1.2.6: Sends a HEADERS frame with the "content-length" header field which does not equal the DATA frame payload length':
    'Go may have answered before the frame that makes it wrong is there',
}

faultOn(25, 'h2spec fails none of its 146 cases, and skips none', { embedded: engines.embedded }, async (open) => {
  const world = await open()
  await using _old = await oldRoute(world)
  await world.set('1-1-a', 'a.test', [(await backend('served')).url])
  expect(await h2spec(world, 'a.test')).toEqual({ run: 146, failed: [], skipped: [] })
})

faultOn(25, 'h2spec fails none of its 146 cases but the six that Go is known for', { traefik: engines.traefik }, async (open) => {
  const world = await open()
  await using _old = await oldRoute(world)
  await world.set('1-1-a', 'a.test', [(await backend('served')).url])
  const { run, failed, skipped } = await h2spec(world, 'a.test')
  expect({ run, skipped }).toEqual({ run: 146, skipped: [] })
  expect(failed.filter((name) => !(name in ofGo))).toEqual([])
})
