import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { follow, type GatewayProcess } from '../cli/gateway-process.ts'
import { freePort } from '../kit/port.ts'
import type { Root } from '../kit/root.ts'
import { freshCopy, shell, tree } from './fresh-copy.ts'

interface Step {
  readonly command: string
  /** What the README shows; `...` stands for anything. */
  readonly shown: string
}

/** The console blocks of the README, in order, on ports that are free here. */
const steps = async (): Promise<readonly Step[]> => {
  let page = readFileSync(join(tree, 'README.md'), 'utf8')
  for (const port of ['8080', '8443', '8070', '9000', '9001'])
    page = page.replaceAll(new RegExp(`\\b${port}\\b`, 'g'), String(await freePort()))
  const blocks = [...page.matchAll(/^```console\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block)
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((step) => ({ command: step.slice(0, step.indexOf('\n')), shown: step.slice(step.indexOf('\n') + 1) })),
  )
}

let copy: Root
let first: Step
let rest: readonly Step[]
let gateway: GatewayProcess
beforeAll(async () => {
  copy = freshCopy({ installed: true })
  const [start, ...others] = await steps()
  if (!start) throw new Error('the README has no tour')
  first = start
  rest = others
  const ports = /https on port (\d+), http on (\d+)[\s\S]*?127\.0\.0\.1:(\d+)/.exec(start.shown) ?? []
  const [, https, http, api] = ports
  gateway = follow('npm', ['start'], {
    cwd: copy.path,
    detached: true,
    env: { ...shell, GATEWAY_HTTPS: https, GATEWAY_HTTP: http, GATEWAY_API: api },
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await copy.remove()
})

test('the tour of the README shows what it says, from the start on', async () => {
  await gateway.until('Ctrl-C stops it.')
  expect(gateway.stdout).toMatch(pattern(first.shown))
})

test('the commands of the tour answer what the README shows', async () => {
  expect(rest.length).toBeGreaterThan(15)
  writeFileSync(join(copy.path, '.curlrc'), 'silent\nshow-error\n')
  const terminal = follow('bash', ['-c', script(rest)], {
    cwd: copy.path,
    detached: true,
    env: { ...shell, CURL_HOME: copy.path },
  })
  expect(await terminal.ended).toBe(0)
  const answers = terminal.stdout.split('\u0001')
  const wrong = rest.flatMap(({ command, shown }, index) => {
    const answer = answers[index] ?? ''
    return new RegExp(`^${pattern(shown.trim()).source}$`).test(answer.trim()) ? [] : [{ command, shown, answer }]
  })
  expect(wrong).toEqual([])
})

test('Ctrl-C ends it in good order', async () => {
  expect(existsSync(join(copy.path, '.gateway/gateway.sock'))).toBe(true)
  gateway.signal('SIGINT')
  await gateway.ended
  expect(gateway.stderr).toContain('stopping: connections drain')
  expect(existsSync(join(copy.path, '.gateway/gateway.sock'))).toBe(false)
})

/** All of it in one shell, each answer closed with a mark. A server that a command leaves running is waited for. */
const script = (commands: readonly Step[]): string =>
  [
    'exec 2>&1',
    ...commands.flatMap(({ command }) => {
      const [, port] = /listen\((\d+)\).*&$/.exec(command) ?? []
      const ready = port ? [`until (exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null; do sleep 0.05; done`] : []
      return [command, ...ready, "printf '\\001'"]
    }),
    'kill %1',
  ].join('\n')

const pattern = (shown: string): RegExp => new RegExp(shown.split('...').map(RegExp.escape).join('[\\s\\S]*'))
