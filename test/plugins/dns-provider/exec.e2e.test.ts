import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { DnsWriter } from '../../../core/index.ts'
import { type ExecOptions, exec } from '../../../plugins/index.ts'
import { challengeValue, describeDnsProvider, isRunning, openDns, tempRoot } from '../../kit/index.ts'
import { domains, startRecords } from './records.ts'

/** Keeps each value as an empty file, as an operator's script may do with whatever it has. */
const keeper = `#!/bin/sh
set -eu
folder="$RECORDS/\${2%.}"
case "$1" in
  present) mkdir -p "$folder"; : > "$folder/v$3" ;;
  cleanup) rm -f "$folder/v$3" ;;
  *) echo "unknown action $1" >&2; exit 2 ;;
esac
`
const script = (folder: string, text: string): string => {
  const path = join(folder, 'update-dns.sh')
  writeFileSync(path, text, { mode: 0o755 })
  return path
}
const secret = 'kept-in-a-file-4711'

describeDnsProvider('dns-provider/exec', {
  async open(root) {
    const records = join(root, 'records')
    const values = (name: string) =>
      (existsSync(join(records, name)) ? readdirSync(join(records, name)) : []).map((file) => file.slice(1))
    const server = await startRecords(domains, values)
    writeFileSync(join(root, 'secret'), `${secret}\n`)
    const options: ExecOptions = {
      command: script(root, keeper),
      zones: domains,
      env: { RECORDS: records, TOKEN: { file: join(root, 'secret') } },
      propagation: server.propagation,
    }
    return { plugins: () => [exec(options)], server, domains, close: server.close }
  },
  secrets: [secret],
})

describe('dns-provider/exec', () => {
  const at = '_acme-challenge.gw.example.org'
  const open = async (text: string, options: Partial<ExecOptions> = {}) => {
    const root = tempRoot('exec')
    onTestFinished(root.remove)
    mkdirSync(join(root.path, 'said'))
    const env = { SAID: join(root.path, 'said', 'all'), ...options.env }
    const plugin = exec({
      command: script(root.path, text),
      zones: ['example.org'],
      propagation: false,
      timeout: 20,
      ...options,
      env,
    })
    const { dns, gateway } = await openDns([plugin], root.path)
    onTestFinished(gateway.close)
    return { dns, said: () => readFileSync(env.SAID, 'utf8') }
  }
  const present = (dns: DnsWriter, value = challengeValue(), signal = AbortSignal.timeout(20_000)) =>
    dns.present(at, value, signal)

  it('gives words as they are, and PATH, HOME and what the config says as the whole environment', async () => {
    process.env.GATEWAY_TEST_HIDDEN = 'not for scripts'
    const { dns, said } = await open('#!/bin/sh\n{ printf "%s|" "$@"; env; } > "$SAID"\n', { env: { OWN: 'a b' } })
    const value = '-n'.padEnd(43, '_')
    await present(dns, value)
    expect(said()).toMatch(`present|${at}.|${value}|`)
    expect(said()).toMatch(/^OWN=a b$/m)
    expect(said()).not.toContain('not for scripts')
    await dns.cleanup(at, value)
    expect(said()).toMatch(`cleanup|${at}.|${value}|`)
  })

  it('gives domain, token and key authorization in raw mode', async () => {
    const { dns, said } = await open('#!/bin/sh\nprintf "%s|" "$EXEC_MODE" "$@" > "$SAID"\n', { mode: 'raw' })
    const proof = { domain: 'gw.example.org', token: 'some-token', keyAuthorization: 'some-token.thumbprint' }
    await dns.present(at, challengeValue(), AbortSignal.timeout(20_000), proof)
    expect(said()).toBe('RAW|present|--|gw.example.org|some-token|some-token.thumbprint|')
    await dns.cleanup(at, challengeValue(), proof)
    expect(said()).toBe('RAW|cleanup|--|gw.example.org|some-token|some-token.thumbprint|')
    await expect(present(dns)).rejects.toMatchObject({ code: 'BAD_REQUEST', message: expect.stringContaining('token') })
  })

  it('says the last line of a script that fails, without its secrets', async () => {
    process.env.GATEWAY_TEST_TOKEN = 'hush-4712'
    const text = '#!/bin/sh\necho first >&2\necho "no zone for $TOKEN" >&2\nexit 3\n'
    const { dns } = await open(text, { env: { TOKEN: { env: 'GATEWAY_TEST_TOKEN' } } })
    await expect(present(dns)).rejects.toMatchObject({
      code: 'DNS_UNAVAILABLE',
      message: expect.stringMatching(/update-dns\.sh present ended with code 3: no zone for \*\*\*$/),
    })
  })

  it('ends a script that hangs at its deadline, with what it started, also where that ignores SIGTERM', async () => {
    const text = '#!/bin/sh\ntrap "" TERM\nsleep 1000 &\necho $! > "$SAID"\nwait\nsleep 1000\n'
    const { dns, said } = await open(text, { timeout: 0.5 })
    await expect(present(dns)).rejects.toMatchObject({ code: 'DNS_UNAVAILABLE', message: expect.stringContaining('0.5 s') })
    await expect.poll(() => isRunning(Number(said())), { timeout: 10_000 }).toBe(false)
  })

  it('ends it when the caller stops, and runs the next one', async () => {
    const { dns } = await open('#!/bin/sh\n[ "$1" = cleanup ] || { : > "$SAID"; exec sleep 1000; }\n')
    const stop = new AbortController()
    const doing = present(dns, challengeValue(), stop.signal)
    stop.abort(new Error('told to stop'))
    await expect(doing).rejects.toThrow('told to stop')
    await dns.cleanup(at, challengeValue())
  })

  it('says so where there is no such program, or no secret', async () => {
    const root = tempRoot('exec')
    onTestFinished(root.remove)
    const missing = exec({ command: join(root.path, 'none'), zones: ['example.org'] })
    const first = await openDns([missing], join(root.path, 'a'))
    onTestFinished(first.gateway.close)
    await expect(present(first.dns)).rejects.toMatchObject({
      code: 'DNS_UNAVAILABLE',
      fix: expect.stringContaining('executable'),
    })
    const bare = exec({ command: 'true', zones: ['example.org'], env: { TOKEN: { file: join(root.path, 'no-secret') } } })
    const second = await openDns([bare], join(root.path, 'b'))
    onTestFinished(second.gateway.close)
    await expect(present(second.dns)).rejects.toMatchObject({ code: 'DNS_DENIED', message: expect.stringContaining('no-secret') })
  })

  it('rejects where the record is not answered in the end', async () => {
    const server = await startRecords(domains, () => [])
    onTestFinished(server.close)
    const { dns } = await open('#!/bin/sh\n', { propagation: { ...server.propagation, seconds: 0.3 } })
    await expect(present(dns)).rejects.toMatchObject({
      code: 'DNS_UNAVAILABLE',
      message: expect.stringContaining('not answered'),
    })
  })

  it.each([
    [{ zones: [] }, 'zones'],
    [{ zones: ['*.example.org'] }, 'zones'],
    [{ command: '' }, 'command'],
    [{ mode: 'cooked' }, 'mode'],
    [{ atOnce: 0 }, 'atOnce'],
    [{ timeout: 0 }, 'timeout'],
    [{ env: { TOKEN: { file: '' } } }, 'env.TOKEN'],
    [{ propagation: { servers: ['dns.example.org'] } }, 'propagation.servers'],
  ])('refuses %j where it is written', (options, key) =>
    expect(() => exec({ command: 'true', zones: ['example.org'], ...options } as never)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(`exec: ${key}`) }),
    ),
  )
})
