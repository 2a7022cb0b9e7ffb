import { relative } from 'node:path'
import type { GatewayConfig } from '../core/config.ts'
import type { Status } from '../core/gateway-interface.ts'
import { inClone } from './place.ts'

/** What a person may try now that it is up: only lines that work with this config. */
export const greeting = (status: Status, { plugins }: GatewayConfig, isDefaultRoot: boolean): string => {
  const facts = (name: string) => status.plugins.find((plugin) => plugin.name === name)?.facts ?? {}
  const engine = status.plugins.find(({ name }) => name.startsWith('engine/'))
  const { http, https } = engine?.facts ?? {}
  const { url, socket } = facts('transport/http-api')
  const { root: ca } = facts('resolver/local')
  const node = plugins.flatMap((plugin) => plugin || []).find(({ name }) => name === 'service/static-node')
  const domain = domainOf(node?.options)
  const command = inClone() ? 'bin/gateway.js' : 'gateway'
  const root = isDefaultRoot ? '' : ` --root ${here(status.root)}`
  const canTry = https && domain && socket && ca

  return [
    `zos-gateway ${status.version} is up: ${status.routes} routes, state in ${here(status.root)}`,
    ...(https ? [`  https on port ${https}${http ? `, http on ${http}` : ''}${domain ? `, names under ${domain}` : ''}`] : []),
    ...(url ? [`  HTTP API at ${url}, its description at ${url}/docs`] : []),
    ...(canTry ? ['', 'Try, in another terminal:', ...indented(tour(command, root, String(ca), domain, https))] : []),
    ...(canTry ? ['', 'Ctrl-C stops it.'] : []),
    '',
  ].join('\n')
}

const tour = (command: string, root: string, ca: string, domain: string, https: string | number): string[] => [
  `node -e "require('http').createServer((q, s) => s.end('hello\\n')).listen(9000)" &`,
  `${command} set-name${root} 1-1-hello hello http://127.0.0.1:9000`,
  `curl --cacert ${here(ca)} https://hello.${domain}:${https}/`,
]

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`)

/** A path as a person in this folder would type it. */
const here = (path: string): string => {
  const from = relative(process.cwd(), path)
  // Nobody's shell is where a service runs.
  return from === '' || from.startsWith('..') || process.cwd() === '/' ? path : from
}

const domainOf = (options: unknown): string =>
  typeof options === 'object' && options !== null && 'domain' in options ? String(options.domain) : ''
