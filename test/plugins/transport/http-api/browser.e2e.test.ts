import { once } from 'node:events'
import { createServer } from 'node:http'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask, startApi } from './parts.ts'

let api: Awaited<ReturnType<typeof startApi>>
let browser: Browser
/** A page of somebody else's, on another port of the same machine. */
const foreign = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><p>foreign'))
let elsewhere: string

beforeAll(async () => {
  api = await startApi()
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
  foreign.listen(0, '127.0.0.1')
  await once(foreign, 'listening')
  const address = foreign.address()
  elsewhere = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
})
afterAll(async () => {
  await browser?.close()
  foreign.close()
  await api.close()
})

test('the page at /docs shows every route, runs one, and asks no other server', async () => {
  const page = await browser.newPage()
  const asked: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => asked.push(new URL(request.url()).origin))
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(`${api.url}/docs`)
  const routes = page.locator('.opblock')
  await routes.first().waitFor()
  const { json } = await ask(api.gateway, '/openapi.json')
  expect(await routes.count()).toBe(Object.values<object>(json.paths).flatMap(Object.keys).length)
  const list = page.locator('.opblock', { hasText: 'List workloads in order of id' })
  await list.locator('.opblock-summary').click()
  await list.locator('.try-out button').click()
  await list.locator('button.execute').click()
  const answer = list.locator('.live-responses-table tbody .response-col_status').first()
  await answer.waitFor()
  expect(await answer.textContent()).toContain('200')
  expect(new Set(asked)).toEqual(new Set([api.url]))
  expect(complaints).toEqual([])
  await page.close()
})

test('38: a page of another origin can neither write nor read', async () => {
  const page = await browser.newPage()
  await page.goto(elsewhere)
  const tried = await page.evaluate(async (url) => {
    const body = JSON.stringify({ fqdn: 'csrf.example.org', backends: ['http://10.0.0.1:80'] })
    const attempt = async (init: object, path = '/v1/workloads/csrf') => {
      try {
        const { type, status } = await fetch(url + path, init)
        return `${type} ${status}`
      } catch {
        return 'failed'
      }
    }
    return {
      put: await attempt({ method: 'PUT', headers: { 'content-type': 'application/json' }, body }),
      remove: await attempt({ method: 'DELETE' }),
      blindPost: await attempt({ method: 'POST', mode: 'no-cors', body }, '/v1/reload'),
      read: await attempt({}, '/v1/workloads'),
      blindRead: await attempt({ mode: 'no-cors' }, '/v1/workloads'),
    }
  }, api.url)
  expect(tried).toEqual({ put: 'failed', remove: 'failed', blindPost: 'failed', read: 'failed', blindRead: 'failed' })
  expect(api.gateway.routes.size).toBe(0)
  await page.close()
})

test('38: a page whose own name leads to this machine gets no answer', async () => {
  const page = await browser.newPage()
  const answer = await page.goto(`${api.url.replace('127.0.0.1', 'evil.localhost')}/v1/workloads`)
  expect(answer?.status()).toBe(403)
  expect(await answer?.json()).toMatchObject({ code: 'FORBIDDEN' })
  await page.close()
})
