import { readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createGateway, parseOperation } from '../../core/index.ts'
import { memory, pointsHere } from '../../plugins/index.ts'
import { zos } from '../../presets/index.ts'
import { tableEngine } from '../core/parts.ts'
import { startDns, tempRoot } from '../kit/index.ts'
import { otherModules, type Say } from './neighbours.ts'

const config = 'network@0.0.1 GetPublicConfig'
const registration = 'api-gateway@0.0.1 GetContractIDByNameRegistration'
const contract = 'api-gateway@0.0.1 GetContract'
const [whole, none] = ['185.206.122.33/24, 2a10:b600:1::1/64, domain gent01.grid.tf', 'error, no public config']
const asked = new Set([
  'service/zos-node',
  'policy/backends',
  'policy/name-contract',
  'resolver/tls-passthrough',
  'reach/nnc',
  'service/processes',
])

/** Of the zos preset what resolves and checks, with a store and an engine that need nothing. */
const gateway = async (says: Readonly<Record<string, Say>>) => {
  const others = await otherModules({ [config]: whole, [registration]: '4711', [contract]: '4711 created, twin 26', ...says })
  const [dns, root] = [await startDns(), tempRoot()]
  dns.set('own.example.net', { A: ['185.206.122.33'] })
  dns.set('elsewhere.example.net', { A: ['192.0.2.1'] })
  const preset = zos({ broker: others.broker, supervisor: 'processes' }).filter(
    ({ name }) => asked.has(name) || name.startsWith('workload/'),
  )
  const plugins = [...preset, pointsHere({ resolvers: [dns.address] }), memory(), tableEngine().plugin]
  const running = await createGateway({ plugins }, { root: root.path })
  onTestFinished(async () => {
    await running.close()
    await dns.close()
    await root.remove()
  })
  return (op: object) => running.dispatch(parseOperation(op) as never)
}
const base = { id: '26-4711-shop', backends: ['9.9.9.9:443'], passthrough: true }
const name = { do: 'set-name', name: 'shop', ...base }
const fqdn = { do: 'set-fqdn', fqdn: 'own.example.net', ...base }
const terminated = (backend: string) => ({ ...name, backends: [backend], passthrough: false })

const rows: [code: string, sentence: string, op: object, says?: Readonly<Record<string, Say>>][] = [
  ['INVALID_BACKEND', 'backends list can not be empty', { ...name, backends: [] }],
  [
    'INVALID_BACKEND',
    "failed to validate backend 'ftp://9.9.9.9': scheme expected to be http or https: ",
    terminated('ftp://9.9.9.9'),
  ],
  ['INVALID_BACKEND', 'invalid ip address in backend', terminated('http://localhost')],
  ['INVALID_BACKEND', 'invalid ip', { ...name, backends: ['ip:10'] }],
  ['INVALID_BACKEND', 'invalid port in backend', { ...name, backends: ['9.9.9.9:port'] }],
  ['INVALID_BACKEND', 'port must be <= 65535', { ...name, backends: ['9.9.9.9:70000'] }],
  [
    'BACKEND_FORBIDDEN',
    "backend 185.206.122.33:9000 points to the node's own public IP address",
    { ...name, backends: ['185.206.122.33:9000'] },
  ],
  ['INVALID_FQDN', 'fqdn a b is invalid', { ...fqdn, fqdn: 'a b' }],
  ['INVALID_NAME', 'name a.b is invalid', { ...name, name: 'a.b' }],
  ['INVALID_ID', "invalid workload id 'a/b'", { ...name, id: 'a/b' }],
  ['NO_PUBLIC_CONFIG', 'gateway is not supported on this node: it has no public config', fqdn, { [config]: none }],
  ['NO_DOMAIN', "node doesn't support name proxy (doesn't have a domain)", name, { [config]: 'ipv4 only, no domain' }],
  [
    'NAME_NOT_RESERVED',
    'failed to verify name contract: a name contract with the given name must be reserved first',
    name,
    { [registration]: 'not found' },
  ],
  [
    'NAME_NOT_RESERVED',
    'failed to verify name contract: the name contract must be in Created or GracePeriod state',
    name,
    { [contract]: '4711 deleted, twin 26' },
  ],
  ['NAME_NOT_RESERVED', 'failed to verify name contract: twin id mismatch', { ...name, id: '27-4711-shop' }],
  [
    'NEIGHBOUR_UNAVAILABLE',
    "contract by name returned 4711, but retrieving it results in 'not found' error",
    name,
    { [contract]: 'not found, with text' },
  ],
  [
    'NETWORK_UNAVAILABLE',
    "the private network 'net' cannot be reached: failed to get user network: ",
    { ...name, network: 'net' },
    { 'network@0.0.1 GetNet': 'error, no such network' },
  ],
  [
    'NETWORK_UNAVAILABLE',
    "the private network 'net' cannot be reached: failed to ensure local gateway: ",
    { ...name, network: 'net' },
    { 'network@0.0.1 GetNet': '10.20.2.0/24', 'network@0.0.1 Namespace': 'n-2MMEUgPZGLTnb' },
  ],
  [
    'DOMAIN_MANAGED',
    "can't create a fqdn workload with a subdomain of the gateway's managed domain",
    { ...fqdn, fqdn: 'a.gent01.grid.tf' },
  ],
  [
    'DNS_MISMATCH',
    "failed to verify domain dns record: host doesn't point to the gateway ip",
    { ...fqdn, fqdn: 'elsewhere.example.net' },
  ],
]

describe("the sentences of the Go module, from the zos preset's own plugins", () => {
  it.each(rows)('%s: %s', async (code, sentence, op, says = {}) => {
    const ask = await gateway(says)
    const refusal = expect.objectContaining({ code, message: expect.stringContaining(sentence) })
    await expect((async () => ask(op))()).rejects.toEqual(refusal)
  })

  it('DOMAIN_TAKEN: domain already registered: own.example.net', async () => {
    const ask = await gateway({})
    await ask(fqdn)
    await expect(ask({ ...fqdn, id: '27-1-other' })).rejects.toMatchObject({
      code: 'DOMAIN_TAKEN',
      message: 'domain already registered: own.example.net',
    })
  })

  it('stand in the table of docs/zos-parity.md, each with its code', () => {
    const page = readFileSync(new URL('../../docs/zos-parity.md', import.meta.url), 'utf8')
    const table = page.slice(page.indexOf('## Sentences'), page.indexOf('## Side effects'))
    const inTable = [...table.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, code]) => code)
    expect(new Set(inTable)).toEqual(new Set([...rows.map(([code]) => code), 'DOMAIN_TAKEN']))
  })
})
