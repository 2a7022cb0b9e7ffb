import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { freePort, tempRoot } from '../kit/index.ts'
import { bin } from './gateway-process.ts'

/** Writes to its log until the test is over: far more than the 64 KiB that a pipe holds. */
const config = (api: number) => `import { defineGateway, definePlugin } from 'zos-gateway'
import { httpApi, memory } from 'zos-gateway/plugins'
const loud = definePlugin({ name: 'service/loud', kind: 'service', setup: ({ log }) => {
  const timer = setInterval(() => { for (let n = 0; n < 50; n++) log('x'.repeat(1000)) }, 5)
  return { close: () => clearInterval(timer) }
} })
export default defineGateway({ plugins: [memory(), loud, httpApi({ tcp: { port: ${api} } })] })
`

test.for([[[]], [['--upgradable']]])('a reader of the log that is stuck stops nothing: %s', async ([more]) => {
  const root = tempRoot('stuck')
  onTestFinished(root.remove)
  const api = await freePort()
  writeFileSync(join(root.path, 'gateway.config.mts'), config(api))
  const gateway = spawn(process.execPath, [bin, '--root', join(root.path, 'root'), ...(more ?? [])], {
    cwd: root.path,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void gateway.kill('SIGKILL'))
  await once(gateway.stdout, 'data')
  const healthy = async () => (await fetch(`http://127.0.0.1:${api}/healthz`, { signal: AbortSignal.timeout(20_000) })).status
  for (let n = 0; n < 40; n++) expect(await healthy()).toBe(200)
  // Once it reads again it hears how much it missed.
  const text: string[] = []
  gateway.stderr.setEncoding('utf8').on('data', (part) => text.push(part))
  await expect.poll(() => text.join(''), { timeout: 60_000 }).toMatch(/"msg":"\d+ lines of the log were dropped/)
  gateway.stderr.pause()
  for (let n = 0; n < 20; n++) expect(await healthy()).toBe(200)
  gateway.kill('SIGTERM')
  expect((await once(gateway, 'exit'))[0]).toBe(0)
  const lines = text.join('').split('\n').slice(0, -1)
  expect(lines.filter((line) => !line.startsWith('{') || !line.endsWith('}'))).toEqual([])
})
