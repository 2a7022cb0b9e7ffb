import { execFileSync } from 'node:child_process'
import { expect, onTestFinished, test } from 'vitest'
import { dnsmasq, processes } from '../../../plugins/index.ts'
import { challengeValue, endKept, freePort, openDns, tempRoot } from '../../kit/index.ts'
import { digPath, dnsmasqPath } from '../../kit/programs.ts'

const domain = 'gw.example.org'
const name = `_acme-challenge.${domain}`
const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8' })
const address = '198.51.100.7'

/** A network namespace with one address, as that of a node's public side. */
const makeNetns = (netns: string) => {
  ip('netns', 'add', netns)
  ip('-n', netns, 'link', 'set', 'lo', 'up')
  ip('-n', netns, 'address', 'add', `${address}/32`, 'dev', 'lo')
}
const asRoot = test.skipIf(process.getuid?.() !== 0)

asRoot(
  'dnsmasq answers in the network namespace of the public side, which may come after the gateway, and present knows it',
  async () => {
    const root = tempRoot('netns')
    onTestFinished(root.remove)
    onTestFinished(() => endKept(root.path))
    const netns = `gw-dns-${process.pid}`
    onTestFinished(() => void execFileSync('ip', ['netns', 'delete', netns]))
    const port = await freePort()
    const { dns, gateway } = await openDns(
      [dnsmasq({ domains: [domain], addresses: [address], port, netns, command: dnsmasqPath() }), processes()],
      root.path,
    )
    onTestFinished(gateway.close)
    const value = challengeValue()
    const present = () => dns.present(name, value, AbortSignal.timeout(30_000))
    await expect(present()).rejects.toMatchObject({ code: 'PROCESS_FAILED', message: expect.stringContaining(netns) })
    makeNetns(netns)
    await expect
      .poll(
        () =>
          present().then(
            () => 'ok',
            ({ message }) => message,
          ),
        { timeout: 60_000 },
      )
      .toBe('ok')
    const dig = (...over: string[]) =>
      ip('netns', 'exec', netns, digPath(), `@${address}`, '-p', `${port}`, '+short', '+norec', ...over, name, 'TXT')
    expect(dig('+notcp')).toBe(`"${value}"\n`)
    expect(dig('+tcp')).toBe(`"${value}"\n`)
    await dns.cleanup(name, value)
    await expect.poll(() => dig('+tcp'), { timeout: 20_000 }).toBe('')
  },
)
