import type { Supervisor } from '../../../core/index.ts'
import { type Api, traefikApi } from './api.ts'
import { openBridge } from './bridge/index.ts'
import type { Settings } from './settings.ts'

/** Traefik's API and its port, also where it runs in another network namespace. */
export const reach = async (
  settings: Settings,
  supervisor: Supervisor,
  folder: string,
  token: string,
): Promise<{ readonly api: Api; close(): Promise<void> }> => {
  const { netns } = settings
  const https = { host: settings.https.host === '' ? '127.0.0.1' : settings.https.host, port: settings.https.port }
  const bridge = netns === undefined ? undefined : await openBridge({ supervisor, netns, folder, targets: [settings.api, https] })
  const api = traefikApi({ api: settings.api, https, token, ...(bridge && { dial: bridge.dial }) })
  return {
    api,
    close: async () => {
      api.close()
      await bridge?.close()
    },
  }
}
