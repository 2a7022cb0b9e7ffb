import { type ClientRequest, request as httpRequest } from 'node:http'
import { Agent, type AgentOptions, request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { inRange, parseIp, parseRange } from './ip.ts'

/** Milliseconds for a proxy to open a tunnel. */
const tunnelTimeout = 20_000

/** A proxy by URL, none, or as the environment says. */
export type ProxyChoice = string | false | undefined

/**
 * The proxy for an https URL: as chosen, else `https_proxy` or `HTTPS_PROXY`, unless `no_proxy` or `NO_PROXY` names the host. Throws where
 * what is given is no http or https URL; the error shows no password.
 */
export const proxyFor = (url: URL, choice?: ProxyChoice, env: NodeJS.ProcessEnv = process.env): URL | undefined => {
  if (choice === false) return undefined
  const given = choice ?? (env.https_proxy || env.HTTPS_PROXY)
  if (!given || (choice === undefined && isExempt(url, env.no_proxy || env.NO_PROXY || ''))) return undefined
  const text = given.includes('://') ? given : `http://${given}`
  const proxy = URL.canParse(text) ? new URL(text) : undefined
  if (proxy?.protocol !== 'http:' && proxy?.protocol !== 'https:')
    throw new Error('the proxy of HTTPS_PROXY is no http or https URL')
  return proxy
}

/** Hosts, `.suffixes`, addresses and networks as curl and Go's net/http take them, each with a port or without; `*` for all. */
const isExempt = (url: URL, list: string): boolean => {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const port = url.port || '443'
  return list.split(/[\s,]+/).some((entry) => {
    const [, name = '', only] = /^(\[[^\]]*\]|[^:]*|.*:.*:.*?)(?::([0-9]+))?$/.exec(entry.toLowerCase()) ?? []
    if (name === '' || (only !== undefined && only !== port)) return false
    if (name === '*') return true
    const plain = name.replace(/^\[|\]$/g, '').replace(/^\*?\./, '')
    return host === plain || host.endsWith(`.${plain}`) || inNetwork(host, plain)
  })
}

const inNetwork = (host: string, network: string): boolean => {
  const [ip, range] = [parseIp(host), parseRange(network)]
  return ip !== undefined && range !== undefined && inRange(ip, range)
}

/** An agent for https that goes by a proxy where there is one for the host, over a CONNECT tunnel (RFC 9110 section 9.3.6). */
export const proxyAgent = (options: AgentOptions, choice?: ProxyChoice): Agent => {
  const agent = new Agent(options)
  const direct = agent.createConnection.bind(agent)
  agent.createConnection = (given, done) => {
    const { host = '', port = 443, servername } = given as { host?: string; port?: number; servername?: string }
    const proxy = proxyFor(new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`), choice)
    if (!proxy) return direct(given, done)
    openTunnel(proxy, host, Number(port)).then(
      (socket) => {
        const secure = tlsConnect({ ...options, ...(given as object), socket, ...(servername !== undefined && { servername }) })
        done?.(null, secure)
      },
      (error: Error) => done?.(error, undefined as never),
    )
    return undefined
  }
  return agent
}

const openTunnel = (proxy: URL, host: string, port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
    const user = proxy.username === '' ? undefined : `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
    const ask: ClientRequest = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: authority,
      headers: {
        host: authority,
        ...(user !== undefined && { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` }),
      },
      agent: false,
      signal: AbortSignal.timeout(tunnelTimeout),
    })
    const lost = (why: string) => reject(new Error(`the proxy ${proxy.host} opens no tunnel to ${authority}: ${why}`))
    ask.on('connect', ({ statusCode }, socket: Socket, head: Buffer) => {
      if (statusCode === 200 && head.length === 0) return resolve(socket)
      socket.destroy()
      lost(statusCode === 200 ? 'it speaks before the server' : `it answered ${statusCode}`)
    })
    ask.on('response', (answer) => {
      answer.destroy()
      lost(`it answered ${answer.statusCode}`)
    })
    ask.on('error', (error) => lost(error.message))
    ask.end()
  })
