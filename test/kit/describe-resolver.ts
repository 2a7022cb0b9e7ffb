import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Certificate, Draft, Hooks, Plugin, Tls, WorkloadId } from '../../core/index.ts'
import { covers } from '../../lib/host.ts'
import { setUpAlone } from './alone.ts'
import { type Root, tempRoot } from './root.ts'

export interface ResolverUnderTest {
  /** Makes the plugin; called again with the same `root` when a case restarts it. */
  readonly resolver: (root: string) => Plugin<'resolver'> | Promise<Plugin<'resolver'>>
  /** What the plugin needs, by the names in its `needs`. */
  readonly given?: object
  /** Hosts that it takes. */
  readonly takes: readonly [HostUnderTest, ...HostUnderTest[]]
  /** Hosts that it leaves to the resolvers after it. */
  readonly leaves?: readonly HostUnderTest[]
  /** DNS names for which it must refuse to get a certificate. */
  readonly refuses?: readonly string[]
  /** The roots that clients trust, as PEM, once a certificate was obtained. */
  readonly trust: (root: string) => string | Promise<string>
}
export interface HostUnderTest {
  readonly host: string
  readonly zone?: string
}

/** The conformance suite of resolvers that get certificates: each certificate is proved by a TLS handshake for every host. For vitest. */
export const describeResolver = (name: string, under: ResolverUnderTest): void =>
  describeCases(name, {
    ...under,
    open: async (root) => {
      const plugin = await under.resolver(root)
      const alone = await setUpAlone(plugin, root, under.given)
      return { name: plugin.name, hooks: alone.hooks, close: alone.close }
    },
  })

/** What the cases stand on: the resolver as it runs in a folder. */
export interface Opened {
  readonly name: Plugin['name']
  readonly hooks: Hooks['resolver']
  close(): Promise<void>
}
export type Cases = Pick<ResolverUnderTest, 'takes' | 'leaves' | 'refuses' | 'trust'> & {
  open(root: string): Promise<Opened>
}

export const describeCases = (name: string, under: Cases): void => {
  describe(name, () => {
    let root: Root
    let opened: Opened
    const open = async () => {
      opened = await under.open(root.path)
    }
    beforeEach(async () => {
      root = tempRoot('resolver')
      await open()
    })
    afterEach(async () => {
      await opened?.close()
      await root.remove()
    })
    const plan = (at: HostUnderTest, passthrough = false): Tls | undefined => opened.hooks.plan(draftOf(at, passthrough))
    const obtain = (names: readonly string[], signal = AbortSignal.timeout(60_000)): Promise<Certificate> => {
      if (!opened.hooks.obtain) throw new Error(`${opened.name} has no obtain`)
      return opened.hooks.obtain(names, signal)
    }
    const namesOf = (at: HostUnderTest): readonly string[] => {
      const tls = plan(at)
      if (tls?.mode !== 'terminate') throw new Error(`${opened.name} leaves ${at.host}`)
      return tls.names
    }

    it('plans a certificate under its own label whose names cover the host', () => {
      for (const at of under.takes) {
        expect(plan(at)).toMatchObject({ mode: 'terminate', resolver: opened.name.slice('resolver/'.length) })
        expect(namesOf(at).some((pattern) => covers(pattern, at.host))).toBe(true)
      }
    })

    it('plans the same for the same draft, at once and without changing it', () => {
      for (const at of under.takes) expect(plan(at)).toEqual(plan(at))
    })

    it('leaves what is not its own, passthrough among it', () => {
      for (const at of under.takes) expect(plan(at, true)).toBeUndefined()
      for (const at of under.leaves ?? []) expect(plan(at)).toBeUndefined()
    })

    it('gets a certificate that a client accepts for the host', async () => {
      for (const at of under.takes) {
        const names = namesOf(at)
        const certificate = await obtain(names)
        expect(certificate.names).toEqual(names)
        await expect(handshake(certificate, at.host, await under.trust(root.path))).resolves.toBe(true)
      }
    })

    it('gets a key that is the leaf’s, and says the leaf’s own dates', async () => {
      const { chain, key, notBefore, notAfter } = await obtain(namesOf(under.takes[0]))
      const leaf = new X509Certificate(chain)
      expect(leaf.checkPrivateKey(createPrivateKey(key))).toBe(true)
      expect([notBefore, notAfter]).toEqual([leaf.validFromDate, leaf.validToDate])
      expect(notBefore.getTime()).toBeLessThanOrEqual(Date.now())
      expect(notAfter.getTime()).toBeGreaterThan(Date.now())
    })

    it('gets several at once', async () => {
      const lists = [...under.takes, ...under.takes].map(namesOf)
      const made = await Promise.all(lists.map((names) => obtain(names)))
      const trust = await under.trust(root.path)
      const hosts = [...under.takes, ...under.takes].map(({ host }) => host)
      for (const [at, certificate] of made.entries()) expect(await handshake(certificate, hosts[at]!, trust)).toBe(true)
    })

    it('stops when it is told to', async () => {
      await expect(obtain(namesOf(under.takes[0]), AbortSignal.abort())).rejects.toThrow()
    })

    it('refuses names that are not its own', async () => {
      for (const host of under.refuses ?? []) await expect(obtain([host])).rejects.toThrow()
    })

    it('renews in time to come', async () => {
      const certificate = await obtain(namesOf(under.takes[0]))
      const at = await opened.hooks.renewAt?.(certificate, AbortSignal.timeout(60_000))
      if (at) expect(at.getTime()).toBeGreaterThan(Date.now())
    })

    it('gets certificates that the same clients accept after a restart', async () => {
      const [at] = under.takes
      await obtain(namesOf(at))
      const trust = await under.trust(root.path)
      await opened.close()
      await open()
      expect(await handshake(await obtain(namesOf(at)), at.host, trust)).toBe(true)
    })
  })
}

const draftOf = ({ host, zone }: HostUnderTest, passthrough: boolean): Draft =>
  Object.freeze({
    id: '7-8-kit' as WorkloadId,
    tenant: '7',
    backends: Object.freeze([passthrough ? '192.0.2.1:443' : 'http://192.0.2.1:80']),
    passthrough,
    host,
    ...(zone !== undefined && { zone }),
  })

/** Whether a client that trusts `ca` and nothing else accepts the certificate for the host. Rejects with the client's reason. */
const handshake = async ({ chain, key }: Certificate, host: string, ca: string): Promise<boolean> => {
  const server = createServer({ cert: chain, key }, (socket) => socket.end())
  // The client's view of a failed handshake is the one that tells.
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', servername: host, ca, minVersion: 'TLSv1.2' })
  try {
    await once(client, 'secureConnect')
    return client.authorized
  } finally {
    client.destroy()
    server.close()
  }
}
