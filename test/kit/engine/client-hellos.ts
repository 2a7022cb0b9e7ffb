import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { createAuthority } from '../authority.ts'
import { http1 } from '../clients/h1.ts'
import { byteByByte, clientHello, inPieces, inRecords, withEchGrease } from '../clients/pieces.ts'
import { openTcp } from '../clients/socket.ts'
import { backend, bytesBackend, type Cases, signal } from './cases.ts'
import { defer } from './world.ts'

/** Of a client of the years since 2024: the key share alone takes 1,216 bytes, so that the ClientHello takes two packets. */
const postQuantum = { groups: 'X25519MLKEM768', min: 'TLSv1.3' } as const

/** Ways to cut a ClientHello: nowhere, behind every 61st byte, behind every byte, and in small records. */
const cuts = (length: number) => [
  inPieces((hello) => [hello]),
  ...Array.from({ length: Math.floor(length / 61) }, (_, at) =>
    inPieces((hello) => [hello.subarray(0, at * 61 + 1), hello.subarray(at * 61 + 1)]),
  ),
  inPieces(byteByByte),
  inPieces(inRecords(7)),
  inPieces(inRecords(1_000)),
]

/** What newer clients send first, which proxies that read it have stumbled over. */
export const clientHellos: Cases = {
  'serves a client that offers X25519MLKEM768 only, wherever its ClientHello is cut': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend('fine')).url])
    for (const through of cuts(1_500)) {
      const client = await world.h1('a.test', { ...postQuantum, through })
      expect((await client.request('GET /', { Host: 'a.test' })).text).toBe('fine')
      client.close()
    }
  },

  'passes a client through that offers X25519MLKEM768 only, wherever its ClientHello is cut': async (open) => {
    const world = await open()
    const tenant = await createAuthority()
    await world.set('1-1-own', 'own.test', [(await backend('own', { tls: await tenant.issue(['own.test']) })).address], true)
    for (const through of cuts(1_500)) {
      const client = await world.h1('own.test', { ...postQuantum, ca: tenant.root, through })
      expect((await client.request('GET /', { Host: 'own.test' })).text).toBe('own')
      client.close()
    }
  },

  'takes a ClientHello with ECH GREASE, and passes one through as it is': async (open) => {
    const world = await open()
    const came = signal<Buffer>()
    const hello = withEchGrease(await clientHello('own.test'), randomBytes)
    const own = await bytesBackend(async ({ take }) => came.happen(await take(hello.length)))
    await world.set('1-1-own', 'own.test', [own.address], true)
    await world.set('1-1-a', 'a.test', [(await backend('fine')).url])
    for (const cut of [(all: Buffer) => [all], byteByByte]) {
      const client = http1(await openTcp({ port: world.where.https }))
      defer(client.close)
      for (const piece of cut(withEchGrease(await clientHello('a.test'), randomBytes))) await client.send(piece)
      const [type, , , , , message] = await client.take(6)
      // A ServerHello in a handshake record, and no alert.
      expect([type, message]).toEqual([22, 2])
    }
    const through = http1(await openTcp({ port: world.where.https }))
    defer(through.close)
    await through.send(hello)
    expect((await came.happened).equals(hello)).toBe(true)
  },
}
