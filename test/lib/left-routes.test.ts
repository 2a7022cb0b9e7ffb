import { cpSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { copyAcme } from '../../lib/left-routes/acme.ts'
import { readLeft } from '../../lib/left-routes/folder.ts'
import { tempRoot } from '../kit/root.ts'

const folder = (name: string) => fileURLToPath(new URL(`../fixtures/left-routes/${name}`, import.meta.url))
const gent = { zone: 'gent01.grid.tf' }

test('files that the Go module writes become workloads of their kinds', async () => {
  expect(await readLeft([folder('proxy')])).toEqual({
    unread: [],
    routes: [
      { id: '37-2039-own', host: 'example.org', passthrough: false, backends: ['http://10.20.2.7'], own: true },
      { id: '37-2039-tls', host: 'remote.omar.grid.tf', passthrough: true, backends: ['137.184.106.152:443'] },
      {
        id: '40-1976-shop',
        host: 'shop.gent01.grid.tf',
        passthrough: false,
        backends: ['http://10.20.2.5:9000', 'http://[200:5aad::7]:9000'],
        ...gent,
      },
      { id: '40-1977-tlsname', host: 'vault.gent01.grid.tf', passthrough: true, backends: ['[2001:db8::7]:8443'], ...gent },
      // Bridged by a process of the Go module's: served through it until provisiond sets the workload again.
      {
        id: '40-1978-private',
        host: 'private.gent01.grid.tf',
        passthrough: false,
        backends: ['http://127.0.0.1:30512'],
        ...gent,
      },
    ],
  })
})

test('the shapes of its earlier versions and of the manual are read too, and the first folder wins', async () => {
  const { routes, unread } = await readLeft([folder('proxy'), folder('older')])
  expect(routes.map(({ id, host, zone }) => [id, host, zone]).slice(5)).toEqual([
    ['40-1976-manual', 'manual.gent01.grid.tf', 'gent01.grid.tf'],
    ['40-1976-oldest', 'oldest.gent01.grid.tf', 'gent01.grid.tf'],
  ])
  expect(unread).toEqual([
    { path: join(folder('older'), '40-1976-shop.yaml'), why: 'a folder before this one has the workload too' },
  ])
})

test('the domain of the node tells a passed-through name from a domain of its own, at a label boundary', async () => {
  const { routes } = await readLeft([folder('proxy')], 'omar.grid.tf')
  expect(routes.find(({ id }) => id === '37-2039-tls')?.zone).toBe('omar.grid.tf')
  const other = await readLeft([folder('proxy')], 'mar.grid.tf')
  expect(other.routes.find(({ id }) => id === '37-2039-tls')?.zone).toBeUndefined()
})

test('what cannot be read is listed with why, and left where it is', async () => {
  const before = readdirSync(folder('unread'))
  const { routes, unread } = await readLeft([folder('unread')])
  expect(routes).toEqual([])
  const why = Object.fromEntries(unread.map(({ path, why }) => [path.split('/').at(-1), why]))
  expect(why).toEqual({
    '1-1-alias.yaml': "it serves workload '1-1-another', and its name is another one",
    '1-1-badserver.yaml': "its server 'http://localhost:80' cannot be used: invalid ip address in backend",
    '1-1-bomb.yaml': expect.stringContaining('it cannot be read: '),
    '1-1-empty.yaml': 'it has neither http nor tcp routes',
    '1-1-garbage.yaml': expect.stringContaining('it is no YAML: '),
    '1-1-noserver.yaml': 'its service has no servers',
    '1-1-plaintcp.yaml': 'its tcp route passes no TLS through',
    '1-1-rule.yaml': "its rule 'Host(`a.example.org`) || Host(`b.example.org`)' names no host",
    '1-1-template.yaml': `'{{ env "HOME" }}' is no host name`,
    '1-1-truncated.yaml': expect.any(String),
    'no id.yaml': 'its name is no workload id',
    'notes.txt': 'it is no .yaml file',
  })
  expect(readdirSync(folder('unread'))).toEqual(before)
})

test('two workloads of one domain: the second is listed', async () => {
  const root = tempRoot('left')
  onTestFinished(() => root.remove())
  cpSync(folder('proxy'), root.path, { recursive: true })
  const text = 'tcp: {routers: {9-9-b-route: {rule: HostSNI(`Remote.omar.grid.tf`), service: 9-9-b, tls: {passthrough: true}}}'
  writeFileSync(
    join(root.path, '9-9-b.yaml'),
    `${text}, services: {9-9-b: {LOADBALANCER: {Servers: [{address: "10.0.0.1:443"}]}}}}`,
  )
  const { routes, unread } = await readLeft([root.path])
  expect(routes.length).toBe(5)
  expect(unread).toEqual([
    {
      path: join(root.path, '9-9-b.yaml'),
      why: 'domain already registered: remote.omar.grid.tf, by workload 37-2039-tls',
    },
  ])
})

test('a folder that is not there is empty', async () =>
  expect(await readLeft(['/nowhere/at/all'])).toEqual({ routes: [], unread: [] }))

test("Traefik's accounts and certificates come along, for their owner alone, and never over some that are there", async () => {
  const [from, to] = [tempRoot('from'), tempRoot('to')]
  onTestFinished(async () => {
    await from.remove()
    await to.remove()
  })
  mkdirSync(join(from.path, 'traefik'))
  writeFileSync(join(from.path, 'traefik/acme.json'), '{"resolver":{}}', { mode: 0o644 })
  writeFileSync(join(from.path, 'traefik/acme2.json'), '{"dnsresolver":')
  const target = join(to.path, 'traefik/acme.json')
  expect(await copyAcme(from.path, to.path)).toEqual({
    copied: [target],
    left: [{ path: join(from.path, 'traefik/acme2.json'), why: expect.stringContaining('it is no JSON') }],
  })
  expect(statSync(target).mode & 0o777).toBe(0o600)
  expect((await copyAcme(from.path, to.path)).left[0]?.why).toBe(`${target} is there already and stays`)
})
