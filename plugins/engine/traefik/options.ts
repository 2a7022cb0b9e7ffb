import type { OverHttp } from './endpoint/options.ts'
import type { Limits } from './limits.ts'

/** Where a port is opened. Host: by default every address of both IP versions. */
export interface Where {
  readonly host?: string
  readonly port?: number
}

export interface TraefikOptions {
  /** A path, or a name that is looked up in PATH. Default `traefik`. */
  readonly command?: string
  /** Only redirects to https, and answers http-01 challenges. Default port 80. */
  readonly http?: Where
  /** Terminated and passed-through hosts alike. Default port 443. */
  readonly https?: Where
  /** The port that clients know, for redirects; by default the one that is listened on. */
  readonly publicHttpsPort?: number
  /** Traefik's API and metrics, for the gateway alone: a loopback address. Default 127.0.0.1, port 8082. */
  readonly api?: Where
  /** Who gets the certificates of the resolvers `resolver` and `dnsresolver`: Traefik itself (default), or the gateway. */
  readonly issue?: 'traefik' | 'gateway'
  /** Of Traefik's own resolvers. */
  readonly acme?: {
    readonly email?: string
    /** The directory URL of the CA. Default: Traefik's own, Let's Encrypt. */
    readonly caServer?: string
    /** How dns-01 is answered, a provider that Traefik knows, with its environment. Default `exec` with the gateway's hook. */
    readonly dns?: {
      readonly provider: string
      readonly env?: Readonly<Record<string, string>>
      readonly resolvers?: readonly string[]
      readonly disableChecks?: boolean
      readonly delaySeconds?: number
    }
    readonly keyType?: 'EC256' | 'EC384' | 'RSA2048' | 'RSA4096' | 'RSA8192'
  }
  /** Beside PATH and HOME, such as `LEGO_CA_CERTIFICATES`. */
  readonly env?: Readonly<Record<string, string>>
  /** Traefik goes on when the gateway ends, and the next start takes it over. Default false. */
  readonly keepServing?: boolean
  /** Runs as this user where the gateway is root. */
  readonly user?: string
  /** A network namespace to run in. */
  readonly netns?: string
  /** The least time between two configurations that Traefik takes, in seconds. Default 0.05. */
  readonly throttleSeconds?: number
  /** Seconds that open requests have at the end; default 10, at most 30. */
  readonly drain?: number
  /**
   * How Traefik gets its routes: a file each, one document over HTTP from a process of ours, which is faster where there are many, or
   * (`auto`, the default) the one or the other by their number, moving without a failed request.
   */
  readonly routes?: 'auto' | 'files' | 'http'
  readonly overHttp?: OverHttp
  /** Networks whose X-Forwarded-* fields are believed. Default none. */
  readonly trustedProxies?: readonly string[]
  readonly proxyProtocol?: {
    /** Callers (networks) whose connections may begin with a PROXY protocol header. Default none. */
    readonly inbound?: readonly string[]
    /** Connections to passthrough backends begin with one. Default none. */
    readonly passthrough?: 'v1' | 'v2'
  }
  readonly tls?: {
    /** Default TLSv1.2. */
    readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
    /** Refuses the handshake for a host without a certificate, instead of showing Traefik's own. Default: where the gateway gets them. */
    readonly strictSni?: boolean
  }
  readonly backends?: {
    /** PEM of CAs; given, `https://` backends are verified by it. Default: not verified. */
    readonly ca?: string
    /** gRPC calls (by content type) go over HTTP/2 to `http://` backends. Default `never`. */
    readonly h2c?: 'grpc' | 'never'
    /** One of several backends that fails is left out for so many seconds. Default 1; 0: never. Needs Traefik 3.5. */
    readonly retrySeconds?: number
  }
  /**
   * Passed-through connections go by a process of the gateway's that counts their bytes and cuts those of a deleted route; default port
   * 8084 on 127.0.0.1. `false`: they go straight to their backends, uncounted, and live on after a delete.
   */
  readonly relay?: false | { readonly port?: number }
  /** Active health checks of every backend over HTTP. Default none. */
  readonly health?: { readonly path: string; readonly intervalSeconds?: number; readonly timeoutSeconds?: number }
  readonly limits?: Limits
  /** Traefik's access log in JSON, appended to this file. Default none. */
  readonly accessLog?: string
  /** Traefik's own log, on its stderr. Default WARN. */
  readonly logLevel?: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR'
}
