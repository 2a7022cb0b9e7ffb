import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { faultStand, next, patience, set, well } from '../plugins/engine/traefik/stand.ts'
import { faultOn } from './fault.ts'
import { underLoad } from './old-route.ts'

const foreign: Readonly<Record<string, (proxy: string) => Promise<void>>> = {
  'is no YAML': (proxy) => writeFile(join(proxy, 'foreign.yaml'), 'http: ['),
  'is a template that fails': (proxy) => writeFile(join(proxy, 'template.yml'), '{{ fail "no" }}'),
  'takes the host of another': (proxy) =>
    writeFile(join(proxy, 'thief.toml'), '[http.routers.t]\nrule = "Host(`old.wild.test`)"\nservice = "t"\npriority = 9999\n'),
  'cannot be read': async (proxy) => {
    await writeFile(join(proxy, 'closed.yaml'), 'http: {}', { mode: 0 })
  },
  'is a link to nowhere': (proxy) => symlink('/nowhere/at-all', join(proxy, 'link.yaml')),
  'is a folder with more of them': async (proxy) => {
    await mkdir(join(proxy, 'folder.yaml'))
    await writeFile(join(proxy, 'folder.yaml', 'inside.yaml'), 'http: {routers: {')
  },
}

for (const [what, put] of Object.entries(foreign))
  faultOn(
    7,
    `a foreign file that ${what} is moved aside and told, and the next change of others is live`,
    { traefik: faultStand },
    async (faultStand) => {
      const { start, get, connect, proxy, seen, web } = await faultStand({ routes: 'files' })
      const gateway = await start()
      await set(gateway, '1-1-old', 'old.wild.test', web.url)
      await expect.poll(() => get('old.wild.test'), patience).toBe('hello')
      await using _old = await underLoad({ host: 'old.wild.test', text: 'hello', connect: () => connect('old.wild.test') })
      const alarm = next(gateway, (event) => event.type === 'alarm' && event.code === 'ENGINE_UNAVAILABLE')
      await put(proxy)
      await alarm
      await set(gateway, '1-2-next', 'next.wild.test', web.url)
      await expect.poll(() => get('next.wild.test'), patience).toBe('hello')
      await expect
        .poll(
          async () => (await readdir(proxy)).filter((name) => !/^(1-1-|1-2-|gateway\.|certificate\.|\.)/.test(name)),
          patience,
        )
        .toEqual([])
      const told = { ...well, status: expect.stringMatching(/engine\/traefik ok.*moved aside 1 file in \S+\/proxy-aside/) }
      await expect.poll(seen, patience).toMatchObject(told)
    },
  )
