import { execFile } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freePort, http1, httpBackend, openTls, tempRoot } from '../kit/index.ts'
import { bin, gatewayProcess } from './gateway-process.ts'

const execute = promisify(execFile)
const config = `import { defineGateway } from 'zos-gateway'
import { local } from 'zos-gateway/presets'
export default defineGateway((flags) => ({ plugins: local(flags).filter(({ name }) => name !== 'transport/zbus') }))
`
const place = () => {
  const root = tempRoot('backup')
  onTestFinished(root.remove)
  const file = join(root.path, 'gateway.config.mts')
  writeFileSync(file, config)
  const run = (...words: string[]) =>
    execute(process.execPath, [bin, ...words], {
      cwd: root.path,
      env: { ...process.env, GATEWAY_ROOT: join(root.path, 'root') },
      timeout: 120_000,
    })
  const start = async () => {
    const [http, https, api] = [await freePort(), await freePort(), await freePort()]
    const flags = ['--root', join(root.path, 'root'), '--http', `${http}`, '--https', `${https}`, '--api', `${api}`]
    const gateway = gatewayProcess(flags, { cwd: root.path })
    onTestFinished(() => gateway[Symbol.asyncDispose]())
    await gateway.until('is up')
    return { gateway, https, api, ca: () => readFileSync(join(root.path, 'root', 'ca', 'root.pem'), 'utf8') }
  }
  return { path: root.path, root: join(root.path, 'root'), run, start }
}
const get = async (host: string, port: number, ca: string) => {
  const client = http1(await openTls({ port }, { name: host, ca }))
  try {
    return (await client.request('GET /', { Host: host })).text
  } finally {
    client.close()
  }
}

describe('gateway backup and restore', () => {
  test('bring workloads, the certificate authority and the sums of traffic to another root, as they were at one moment', async () => {
    const web = await httpBackend('hello')
    onTestFinished(web.close)
    const [old, next] = [place(), place()]
    const running = await old.start()
    for (const label of ['one', 'two', 'three']) await old.run('set-name', `1-1-${label}`, label, web.url)
    expect(await get('one.gw.localhost', running.https, running.ca())).toBe('hello')
    // Set and deleted all the while: at any moment exactly one of the pair is there, or the earlier one still is.
    let over = false
    const churn = (async () => {
      for (let n = 0; !over; n++) {
        await fetch(`http://127.0.0.1:${running.api}/v1/workloads/1-9-n${n}`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ name: `n${n}`, backends: [web.url] }),
        })
        await fetch(`http://127.0.0.1:${running.api}/v1/workloads/1-9-n${n - 1}`, { method: 'DELETE' })
      }
    })()
    const file = join(old.path, 'b.backup')
    const said = JSON.parse((await old.run('backup', file, '--json')).stdout)
    over = true
    await churn
    expect(said).toMatchObject({ file, routes: expect.any(Number) })
    expect([4, 5]).toContain(said.routes)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).toContain('BEGIN')

    const { stdout: output, stderr } = await old.run('backup', '-')
    expect(JSON.parse(output.split('\n')[0] ?? '')).toHaveProperty(['zos-gateway backup'])
    expect(stderr).toBe('')
    expect(existsSync(join(old.path, '-'))).toBe(false)
    const piped = join(next.path, 'piped.backup')
    writeFileSync(piped, output, { mode: 0o600 })
    const third = place()
    expect((await third.run('restore', piped)).stdout).toContain('workloads')

    const { stdout } = await next.run('restore', file)
    expect(stdout).toContain(`${said.routes} workloads`)
    expect(statSync(join(next.root, 'ca', 'root.key')).mode & 0o777).toBe(0o600)
    const again = await next.start()
    expect(again.ca()).toBe(running.ca())
    expect(await get('two.gw.localhost', again.https, running.ca())).toBe('hello')
    const { workloads } = (await (await fetch(`http://127.0.0.1:${again.api}/v1/metrics`)).json()) as {
      workloads: Record<string, { response: number }>
    }
    expect(workloads['1-1-one']?.response).toBe(5)
    // One that runs, or has something already, is not written over.
    await expect(next.run('restore', file)).rejects.toMatchObject({ code: 5, stderr: expect.stringContaining('BUSY') })
    again.gateway.signal('SIGTERM')
    await again.gateway.ended
    await expect(next.run('restore', file)).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('PRECONDITION_FAILED'),
    })
  })

  test.for(['link', 'pipe', 'device', 'folder'])('a %s in the place of the file is refused and left as it is', async (kind) => {
    const { path, run } = place()
    const target = kind === 'device' ? '/dev/null' : join(path, kind)
    if (kind === 'link') symlinkSync(join(path, 'elsewhere'), target)
    if (kind === 'pipe') await execute('mkfifo', [target])
    if (kind === 'folder') mkdirSync(target)
    const before = lstatSync(target)
    await expect(run('backup', target)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('is no plain file') })
    expect(lstatSync(target)).toMatchObject({ ino: before.ino, mode: before.mode })
    expect(existsSync(join(path, 'elsewhere'))).toBe(false)
  })

  test('a backup that is cut off, changed or none restores nothing', async () => {
    const [old, next] = [place(), place()]
    const { gateway, api } = await old.start()
    await old.run('set-name', '1-1-one', 'one', 'http://127.0.0.1:9000')
    const file = join(old.path, 'b.backup')
    await old.run('backup', file)
    // Over TCP nobody gets at the keys.
    const refused = await fetch(`http://127.0.0.1:${api}/v1/backup`)
    expect([refused.status, await refused.text()]).toEqual([403, expect.not.stringContaining('BEGIN')])
    gateway.signal('SIGTERM')
    await gateway.ended
    const text = readFileSync(file, 'utf8')
    const lines = text.trimEnd().split('\n')
    const wrong = {
      cut: text.slice(0, text.length / 2),
      'a line less': `${lines.toSpliced(1, 1).join('\n')}\n`,
      changed: text.replace('http://127.0.0.1:9000', 'http://127.0.0.1:9001'),
      later: text.replace('"zos-gateway backup":1', '"zos-gateway backup":2'),
      empty: '',
      binary: '\0\0\0',
      outside: text.replace('"file":"ca/root.pem"', '"file":"../root.pem"'),
    }
    for (const [what, content] of Object.entries(wrong)) {
      writeFileSync(join(next.path, 'wrong'), content)
      await expect(next.run('restore', join(next.path, 'wrong')), what).rejects.toMatchObject({
        code: 2,
        stderr: expect.stringContaining('BAD_REQUEST'),
      })
    }
    expect(existsSync(join(next.root, 'ca'))).toBe(false)
    await next.run('restore', file)
  })
})

test('an older gateway on the state of a newer one refuses, by code, and changes nothing', async () => {
  const { run, start, root, path } = place()
  const { gateway } = await start()
  await run('set-name', '1-1-one', 'one', 'http://127.0.0.1:9000')
  gateway.signal('SIGTERM')
  await gateway.ended
  const { ClassicLevel } = await import('classic-level')
  const write = async (format: string) => {
    const level = new ClassicLevel(join(root, 'state'))
    await level.put('format', format, { sync: true })
    await level.close()
  }
  await write('2')
  const refused = gatewayProcess(['--root', root], { cwd: path })
  expect(await refused.ended).toBe(5)
  expect(refused.stderr).toMatch(/STORAGE: .*has format 2, and this gateway reads up to 1 \(start the version that wrote it/)
  await write('1')
  await start()
  expect((await run('list')).stdout).toContain('one.gw.localhost')
})
