import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Traefik as `node tools/setup.mjs --test` built it; without such a build the one in PATH. `ZOS_GATEWAY_TRAEFIK` names another. */
export const traefikPath = (): string =>
  process.env.ZOS_GATEWAY_TRAEFIK ?? builtTraefik('traefik') ?? inPath('traefik') ?? missing('traefik', setUp)

/** The Traefik 2.9.9 that Zero-OS nodes have, as `npm run moving` builds it. */
export const traefik2Path = (): string =>
  builtTraefik('traefik2') ?? missing('Traefik 2.9.9', 'run `npm run moving`, which builds it')

/** Pebble, the test CA of Let's Encrypt (ACME, RFC 8555). */
export const pebblePath = (): string => builtPebble('pebble') ?? inPath('pebble') ?? missing('pebble', goPebble)

/** The conformance tests of HTTP/2 by others (RFC 9113 and RFC 7541). */
export const h2specPath = (): string => builtH2spec() ?? inPath('h2spec') ?? missing('h2spec', setUp)

/** Tests an HTTP API by its OpenAPI description. */
export const schemathesisPath = (): string => builtSchemathesis() ?? inPath('schemathesis') ?? missing('schemathesis', setUp)

/** Pebble's stand-in for the DNS and the challenge servers. */
export const challtestsrvPath = (): string =>
  builtPebble('pebble-challtestsrv') ?? inPath('pebble-challtestsrv') ?? missing('pebble-challtestsrv', setUp)

export const dnsmasqPath = (): string => inPath('dnsmasq') ?? missing('dnsmasq', apt('dnsmasq-base'))

export const knotPath = (): string => inPath('knotd') ?? missing('knotd', apt('knot'))

export const bindPath = (): string => inPath('named') ?? missing('named', apt('bind9'))

export const powerdnsPath = (): string => inPath('pdns_server') ?? missing('pdns_server', apt('pdns-server pdns-backend-sqlite3'))

export const sqlitePath = (): string => inPath('sqlite3') ?? missing('sqlite3', apt('sqlite3'))

export const ipPath = (): string => inPath('ip') ?? missing('ip', apt('iproute2'))

export const digPath = (): string => inPath('dig') ?? missing('dig', apt('bind9-dnsutils'))

const goPebble =
  '`go install github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1` puts it into $(go env GOPATH)/bin, which is to be in PATH; a clone of zos-gateway has it from `node tools/setup.mjs --test`'
const setUp = 'run `node tools/setup.mjs --test`, which builds it'
const apt = (name: string) => `run \`node tools/setup.mjs --test\` or \`apt-get install ${name}\``
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'zos-gateway')
const platform = `${process.platform}-${process.arch}`

/** tools/setup/cache.mjs puts it there, under a name that changes with the module files. */
const builtTraefik = (name: string) => {
  const module = fileURLToPath(new URL(`../../tools/${name}`, import.meta.url))
  if (!existsSync(module)) return undefined
  const files = ['go.mod', 'go.sum', 'tools.go'].map((name) => readFileSync(join(module, name)))
  const version = /^require .*traefik\/v[23] v(\S+)$/m.exec(String(files[0]))?.[1]
  const hash = files.reduce((sum, file) => sum.update(file), createHash('sha256')).digest('hex')
  return executable(join(cache, `${name}-${version}-${platform}-${hash.slice(0, 12)}`))
}

const builtPebble = (name: string) => executable(join(cache, `pebble-v2.10.1-${platform}`, name))

const builtH2spec = () => executable(join(cache, `h2spec-v2.2.1-${platform}`, 'h2spec'))

const builtSchemathesis = () => executable(join(cache, `schemathesis-4.32.5-${platform}`, 'bin', 'schemathesis'))

const inPath = (name: string) =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin']
    .map((folder) => executable(join(folder, name)))
    .find((path) => path !== undefined)

const executable = (path: string) => {
  try {
    accessSync(path, constants.X_OK)
    return path
  } catch {
    return undefined
  }
}

const missing = (name: string, advice: string): never => {
  throw new Error(`${name} is not here: ${advice}`)
}
