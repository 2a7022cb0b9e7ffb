import { readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { responder } from '../../plugins/index.ts'
import { http1 } from '../kit/index.ts'
import { backend, verified, world } from '../plugins/engine/traefik-issues-parts.ts'
import { faultOn } from './fault.ts'
import { underLoad } from './old-route.ts'
import { wrongs } from './wrong-ca.ts'

const patience = { timeout: 60_000, interval: 200 }

faultOn(
  17,
  'a CA fails in every way while Traefik itself orders: what it has is served on, over a kill and a damaged acme.json, and the rest comes with the next change once the CA is well',
  { traefik: world },
  async (open) => {
    const at = await open((port) => [responder({ addresses: ['127.0.0.1'], port })])
    const to = await backend()
    const set = async (id: string, host: string) => {
      at.dns.set(host, { A: ['127.0.0.1'] })
      await at.set('SetFQDNProxy', id, host, [to], false)
    }
    const shown = async (host: string) => {
      const socket = await verified(at, host)
      const { fingerprint256 } = socket.getPeerCertificate()
      socket.destroy()
      return fingerprint256
    }
    const host = 'old.example.net'
    await set('900-1-old', host)
    const old = await underLoad({ host, text: 'from the backend', connect: async () => http1(await verified(at, host)) })
    onTestFinished(() => old[Symbol.asyncDispose]())
    const before = await shown(host)
    // Traefik asks for twenty seconds for another nonce.
    const quick = wrongs.filter(({ code }) => code !== 'CA_REFUSED')
    for (const [n, { how = 'well', fault = () => undefined }] of quick.entries()) {
      at.faults.fault = fault
      await at.faults.meet(how)
      await set(`1-${n}-fresh`, `fresh${n}.example.net`)
      await expect.poll(at.said, patience).toMatch(new RegExp(`Unable to obtain ACME certificate.*fresh${n}.example.net`))
      expect(await shown(host)).toBe(before)
    }
    const state = join(at.state, 'acme.json')
    await expect.poll(() => readFile(`${state}.backup`, 'utf8').catch(String), patience).toContain(host)
    await truncate(state, 20)
    const pid = at.pid() ?? 0
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => ![undefined, pid].includes(at.pid()), patience).toBe(true)
    await old.servesAgain()
    expect(await shown(host)).toBe(before)

    at.faults.fault = () => undefined
    await at.faults.meet('well')
    await set('1-100-last', 'last.example.net')
    for (const one of ['last.example.net', 'fresh0.example.net']) expect(await shown(one)).not.toBe(before)
    await old.undisturbed()
  },
)
