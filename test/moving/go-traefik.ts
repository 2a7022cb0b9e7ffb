import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { follow } from '../cli/gateway-process.ts'

/** Where a Traefik of the Go module listens, and which CA it asks. */
export interface GoTraefik {
  readonly root: string
  readonly volatile: string
  readonly http: number
  readonly https: number
  readonly metrics: number
  readonly acme?: { readonly caServer: string; readonly trustFile: string; readonly hook: string }
}

/** The static configuration that the Go module writes to `<root>/traefik.yaml`, but for what a machine of tests cannot have: its ports and its CA. */
export const goStaticConfig = ({ root, volatile, http, https, metrics, acme }: GoTraefik): object => {
  const common = { email: 'letsencrypt@threefold.tech', ...(acme && { caServer: acme.caServer }) }
  return {
    entryPoints: {
      web: {
        address: `127.0.0.1:${http}`,
        http: { redirections: { entryPoint: { to: 'web-secure', scheme: 'https' } } },
      },
      'web-secure': { address: `127.0.0.1:${https}` },
      metrics: { address: `127.0.0.1:${metrics}` },
    },
    metrics: { prometheus: { entryPoint: 'metrics' } },
    providers: { file: { directory: `${volatile}/proxy`, watch: true } },
    certificatesResolvers: {
      resolver: { acme: { ...common, storage: `${root}/traefik/acme.json`, httpChallenge: { entryPoint: 'web' } } },
      dnsresolver: {
        acme: {
          ...common,
          storage: `${root}/traefik/acme2.json`,
          // No public name server is asked whether the value is out.
          dnsChallenge: { provider: 'exec', ...(acme && { disablePropagationCheck: true }) },
        },
      },
    },
  }
}

/** A Traefik, started as the Go module starts it. */
export const startGoTraefik = (program: string, o: GoTraefik) => {
  const file = join(o.root, 'traefik.yaml')
  mkdirSync(join(o.root, 'traefik'), { recursive: true })
  writeFileSync(file, stringify(goStaticConfig(o)))
  const env = { ...process.env, ...(o.acme && { EXEC_PATH: o.acme.hook, LEGO_CA_CERTIFICATES: o.acme.trustFile }) }
  return follow(program, ['--configfile', file], { cwd: o.root, env })
}
