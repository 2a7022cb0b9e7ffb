import { once } from 'node:events'
import { statSync } from 'node:fs'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createGateway, GatewayError } from '../../../core/index.ts'
import { dnsHook, memory } from '../../../plugins/index.ts'
import { tempRoot } from '../../kit/index.ts'
import { hooked, name, remember, told, value } from './dns-hook-parts.ts'

const said = async (program: ReturnType<Awaited<ReturnType<typeof hooked>>['run']>) => ({
  exit: await program.ended,
  stdout: program.stdout,
  stderr: program.stderr,
})

describe('service/dns-hook', () => {
  it('has the provider present a value and take it away, and says nothing', async () => {
    await using at = await hooked()
    expect(await said(at.run('present', name, value))).toEqual({ exit: 0, stdout: '', stderr: '' })
    expect(await said(at.run('cleanup', name, value))).toEqual({ exit: 0, stdout: '', stderr: '' })
    expect(at.told).toEqual([`present ${told} ${value}`, `cleanup ${told} ${value}`])
  })

  it('answers once the provider has, not before', async () => {
    await using at = await hooked()
    const { promise: written, resolve: write } = Promise.withResolvers<void>()
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
    at.state.present = () => {
      ask()
      return written
    }
    const program = at.run('present', name, value)
    await asked
    let ended = false
    program.ended.then(() => {
      ended = true
    })
    expect(await said(at.run('cleanup', name, value))).toMatchObject({ exit: 0 })
    expect(ended).toBe(false)
    write()
    expect(await program.ended).toBe(0)
  })

  it('carries many out at once', async () => {
    await using at = await hooked()
    const values = Array.from({ length: 8 }, (_, i) => value.slice(0, 42) + i)
    const programs = values.map((each) => at.run('present', name, each))
    expect(await Promise.all(programs.map(({ ended }) => ended))).toEqual(values.map(() => 0))
    expect([...at.told].sort()).toEqual(values.map((each) => `present ${told} ${each}`).sort())
  })

  it('tells lego in JSON how long to wait, without a gateway', async () => {
    await using at = await hooked()
    await at.gateway.close()
    const { exit, stdout } = await said(at.run('timeout'))
    expect([exit, JSON.parse(stdout)]).toEqual([0, { timeout: 60, interval: 1 }])
  })

  it('exits as the provider’s error says, with its sentence', async () => {
    await using at = await hooked()
    at.state.present = () => Promise.reject(new GatewayError('BUSY', 'the name server is away', 'start it'))
    expect(await said(at.run('present', name, value))).toEqual({
      exit: 5,
      stdout: '',
      stderr: 'gateway-dns-hook: BUSY: the name server is away (start it)\n',
    })
  })

  it('takes away what was presented in vain, since lego will not', async () => {
    await using at = await hooked()
    at.state.present = () => Promise.reject(new Error('half written'))
    expect(await at.run('present', name, value).ended).toBe(70)
    await at.gateway.close()
    expect(at.told).toEqual([`present ${told} ${value}`, `cleanup ${told} ${value}`])
  })

  it('gives a provider that hangs its time, and says that it did', async () => {
    await using at = await hooked({ seconds: 0.5 })
    let called: AbortSignal | undefined
    at.state.present = (signal) => {
      called = signal
      return new Promise(() => undefined)
    }
    expect(await said(at.run('present', name, value))).toMatchObject({
      exit: 5,
      stderr: expect.stringContaining('TIMEOUT: the DNS provider did not carry it out within 0.5 s'),
    })
    expect(called?.aborted).toBe(true)
  })

  it('calls off what a program that was killed had asked for', async () => {
    await using at = await hooked()
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
    const { promise: calledOff, resolve: callOff } = Promise.withResolvers<void>()
    const { promise: takenAway, resolve: takeAway } = Promise.withResolvers<void>()
    at.state.present = (signal) => {
      signal.addEventListener('abort', () => callOff())
      ask()
      return new Promise(() => undefined)
    }
    at.state.cleanedUp = async () => takeAway()
    const program = at.run('present', name, value)
    await asked
    program.signal('SIGKILL')
    await calledOff
    await takenAway
    expect(at.told.at(-1)).toBe(`cleanup ${told} ${value}`)
  })

  it('ends what runs when the gateway stops, though the provider hangs for ever', async () => {
    await using at = await hooked({ seconds: 1 })
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
    const never = () => {
      ask()
      return new Promise<void>(() => undefined)
    }
    Object.assign(at.state, { present: never, cleanedUp: never })
    const program = at.run('present', name, value)
    await asked
    await at.gateway.close()
    expect(await said(program)).toMatchObject({ exit: 5, stderr: expect.stringContaining('STOPPING') })
  })

  it('takes the node’s domain and what is below it, in any case and with or without the dot', async () => {
    await using at = await hooked()
    for (const own of [
      '_acme-challenge.gw.example.org',
      '_ACME-challenge.Gw.Example.Org.',
      '_acme-challenge.a.b.gw.example.org.',
    ])
      expect(await at.run('present', own.replace('_ACME', '_acme'), value).ended).toBe(0)
  })

  it.each([
    '_acme-challenge.example.org.',
    '_acme-challenge.evilgw.example.org.',
    '_acme-challenge.gw.example.org.evil.test.',
    '_acme-challenge.org.',
    '_acme-challenge._acme-challenge.gw.example.org.',
  ])('refuses %s, which is not of its zone', async (other) => {
    await using at = await hooked()
    expect(await said(at.run('present', other, value))).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('gw.example.org'),
    })
    expect(at.told).toEqual([])
  })

  it('takes the zones of its option instead', async () => {
    await using at = await hooked({ zones: ['Example.NET.'] })
    expect(await at.run('present', '_acme-challenge.shop.example.net.', value).ended).toBe(0)
    expect(await at.run('present', name, value).ended).toBe(2)
  })

  it('opens its socket to its own user only', async () => {
    await using at = await hooked()
    expect(statSync(at.hook.env.GATEWAY_DNS_SOCKET ?? '').mode & 0o777).toBe(0o600)
  })

  it.each([
    ['no JSON', 'present\n'],
    ['a list', '[]\n'],
    ['no fields', '{}\n'],
    ['deep', `${'{"a":'.repeat(50)}1\n`],
    ['an unknown verb', `${JSON.stringify({ do: 'drop', fqdn: name, value })}\n`],
    ['a wrong value', `${JSON.stringify({ do: 'present', fqdn: name, value: `${value}x` })}\n`],
    ['a value with a line end', `${JSON.stringify({ do: 'present', fqdn: name, value: `${value}\n` })}\n`],
    ['a name that is a number', `${JSON.stringify({ do: 'present', fqdn: 7, value })}\n`],
    ['too long', `${'x'.repeat(4096)}\n`],
    ['no line end', 'x'],
    ['nothing', ''],
  ])('refuses a request that is %s', async (_, text) => {
    await using at = await hooked()
    const socket = connect(at.hook.env.GATEWAY_DNS_SOCKET ?? '')
    socket.end(text)
    const answer: unknown[] = await socket.setEncoding('utf8').toArray()
    expect(JSON.parse(answer.join(''))).toEqual({ exit: 2, text: expect.stringContaining('BAD_REQUEST') })
    expect(at.told).toEqual([])
  })

  it('forgets a caller that says nothing', async () => {
    await using at = await hooked({ seconds: 0.2 })
    const socket = connect(at.hook.env.GATEWAY_DNS_SOCKET ?? '')
    socket.resume()
    await once(socket, 'end')
  })

  it.each([{ zones: ['a b'] }, { zones: [''] }, { seconds: 0 }, { seconds: 10 }])('refuses the options %j', (options) =>
    expect(() => dnsHook(options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' })),
  )

  it('does not start where nothing says which zone is its own', async () => {
    const root = tempRoot('hook')
    const start = createGateway({ plugins: [memory(), remember().plugin, dnsHook()] }, { root: root.path, log: () => undefined })
    await expect(start).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('dnsHook') })
    await root.remove()
  })
})
