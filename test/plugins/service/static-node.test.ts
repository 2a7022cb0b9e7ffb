import { describe, expect, it } from 'vitest'
import type { NodeFacts } from '../../../core/index.ts'
import { staticNode } from '../../../plugins/index.ts'
import { setUpAlone } from '../../kit/index.ts'

const facts = async (options?: Parameters<typeof staticNode>[0]) => {
  const { api } = await setUpAlone(staticNode(options), '/nowhere')
  return (api.node as NodeFacts).publicConfig(new AbortController().signal)
}

describe('service/static-node', () => {
  it('gives what the config says, in canonical form', async () =>
    expect(await facts({ ipv4: '198.51.100.7', ipv6: '2001:DB8:0::7', domain: 'Gent01.Grid.TF.' })).toEqual({
      ipv4: '198.51.100.7',
      ipv6: '2001:db8::7',
      domain: 'gent01.grid.tf',
    }))
  it('gives a public config without anything', async () => expect(await facts()).toEqual({}))
  it.each([
    [{ ipv4: '198.51.100.7/24' }, 'ipv4'],
    [{ ipv4: '2001:db8::7' }, 'ipv4'],
    [{ ipv4: '0198.51.100.7' }, 'ipv4'],
    [{ ipv6: '198.51.100.7' }, 'ipv6'],
    [{ ipv6: '::ffff:198.51.100.7' }, 'ipv6'],
    [{ domain: 'localhost' }, 'domain'],
    [{ domain: '*.grid.tf' }, 'domain'],
    [{ domain: '198.51.100.7' }, 'domain'],
  ])('refuses %j where it is written', (options, key) =>
    expect(() => staticNode(options)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(`staticNode: ${key}`) }),
    ),
  )
})
