import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { challtestsrvPath, digPath, dnsmasqPath, pebblePath, traefikPath } from './programs.ts'
import { tempRoot } from './root.ts'

const said = (program: string, ...args: string[]) => execFileSync(program, args, { encoding: 'utf8', timeout: 20_000 })

afterEach(() => void vi.unstubAllEnvs())

test('traefik is there and tells the version that tools/traefik requires, or a newer one', () => {
  const required = /traefik\/v3 v(\S+)/.exec(readFileSync(new URL('../../tools/traefik/go.mod', import.meta.url), 'utf8'))?.[1]
  const told = /^Version:\s+v?(\S+)/m.exec(said(traefikPath(), 'version'))?.[1] ?? ''
  expect([required, told].sort((a, b) => String(a).localeCompare(String(b), 'en', { numeric: true }))[1]).toBe(told)
})

test('pebble, its challenge server, dnsmasq and dig run', () => {
  expect(said(pebblePath(), '-version')).toContain('Pebble')
  expect(existsSync(challtestsrvPath())).toBe(true)
  expect(said(dnsmasqPath(), '--version')).toContain('Dnsmasq')
  expect(existsSync(digPath())).toBe(true)
})

test('what set-up builds lies where tests look for it', async () => {
  const { builtPath } = await import(new URL('../../tools/setup/cache.mjs', import.meta.url).href)
  const built: string = builtPath('traefik', '3.6.15')
  expect(basename(built)).toMatch(/^traefik-3\.6\.15-[a-z0-9]+-[a-z0-9]+-[0-9a-f]{12}$/)
  if (existsSync(built)) expect(traefikPath()).toBe(built)
})

test('a program that is not there fails with a sentence that says how to get it', async () => {
  const empty = tempRoot('programs')
  vi.stubEnv('XDG_CACHE_HOME', empty.path)
  vi.stubEnv('PATH', empty.path)
  vi.resetModules()
  const fresh = await import('./programs.ts')
  expect(() => fresh.traefikPath()).toThrow(/traefik is not here: run `node tools\/setup\.mjs --test`/)
  expect(() => fresh.pebblePath()).toThrow(/pebble is not here: `go install \S+` .* `node tools\/setup\.mjs --test`/)
  await empty.remove()
})
