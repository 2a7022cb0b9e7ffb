import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'

const program = (body: string) => `
  import { LineWriter } from ${JSON.stringify(new URL('../../lib/line-writer.ts', import.meta.url).href)}
  const out = new LineWriter(1, (dropped) => out.write('dropped ' + dropped + '\\n'))
  const line = (n) => n + ' ' + 'x'.repeat(1000) + '\\n'
  process.on('message', () => { out.write('end\\n'); out.finish(5000); process.exit() })
  ${body}`
const start = (body: string) => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program(body)], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  if (!child.stdout) throw new Error('it has no standard output')
  return Object.assign(child, { stdout: child.stdout })
}

describe('a writer of lines', () => {
  test('waits for no reader, drops whole lines, and says how many once it is read again', async () => {
    const child = start("for (let n = 0; n < 5000; n++) out.write(line(n)); process.send('written')")
    await once(child, 'message')
    const parts: string[] = []
    child.stdout.setEncoding('utf8').on('data', (part) => parts.push(part))
    await expect.poll(() => parts.join('').includes('dropped '), { timeout: 30_000 }).toBe(true)
    child.send('end')
    await once(child, 'close')
    const lines = parts.join('').trimEnd().split('\n')
    expect(lines.at(-1)).toBe('end')
    const dropped = Number(/^dropped (\d+)$/.exec(lines.at(-2) ?? '')?.[1])
    const whole = lines.slice(0, -2)
    expect(whole.length + dropped).toBe(5000)
    expect(dropped).toBeGreaterThan(3000)
    for (const [n, line] of whole.entries()) expect(line).toBe(`${n} ${'x'.repeat(1000)}`)
  })

  test('outlives a reader that is gone, and ends in time though nobody reads', async () => {
    const gone = start("process.on('SIGUSR2', () => { out.write(line(1)); process.send('lives') }); process.send('ready')")
    await once(gone, 'message')
    gone.stdout.destroy()
    gone.kill('SIGUSR2')
    expect(await once(gone, 'message')).toEqual(['lives', undefined])
    gone.kill('SIGKILL')
    const stuck = start('for (let n = 0; n < 500; n++) out.write(line(n)); out.finish(50); process.exit(7)')
    expect((await once(stuck, 'exit'))[0]).toBe(7)
    stuck.stdout.destroy()
  })
})
