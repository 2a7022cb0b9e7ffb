import { expect, test, vi } from 'vitest'
import { placeOf } from '../../cli/connection.ts'
import { bytes, printTable, span } from '../../cli/output.ts'

test.each([
  [0, '0 B'],
  [1, '1 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [200 * 1024, '200 KiB'],
  [1024 ** 3, '1.0 GiB'],
  [2 ** 53, '8.0 PiB'],
])('%d bytes are %s', (count, text) => {
  expect(bytes(count)).toBe(text)
})

test.each([
  [0, '0 s'],
  [119_000, '119 s'],
  [120_000, '2 min'],
  [7_199_000, '119 min'],
  [7_200_000, '2 h'],
  [-172_800_000, '2 days'],
])('%d ms are %s', (milliseconds, text) => {
  expect(span(milliseconds)).toBe(text)
})

test('36: a table shows text of strangers without moving the cursor', async () => {
  let written = ''
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written += text
    return true
  })
  try {
    await printTable(
      ['A', 'B'],
      [
        ['x', 'one\r\n\u001b[2Jtwo'],
        ['longer', undefined],
      ],
      'none',
    )
    await printTable(['A'], [], 'nothing there')
  } finally {
    write.mockRestore()
  }
  expect(written).toBe('A       B\nx       one\\u{d}\\u{a}\\u{1b}[2Jtwo\nlonger  -\nnothing there\n')
})

test.each([
  [{}, { GATEWAY_ROOT: '/r' }, '/r/gateway.sock'],
  [{}, { GATEWAY_ROOT: '/r', GATEWAY_SOCKET: '/s' }, '/s'],
  [{}, { GATEWAY_ROOT: '/r', GATEWAY_SOCKET: '/s', GATEWAY_URL: 'http://h:1/x' }, 'http://h:1'],
  [{ root: '/f' }, { GATEWAY_SOCKET: '/s', GATEWAY_URL: 'http://h:1' }, '/f/gateway.sock'],
  [{ root: '/f', socket: '/g' }, {}, '/g'],
  [{ root: '/f', socket: '/g', url: 'https://i' }, {}, 'https://i'],
])('with %j and %j it asks at %s', (flags, env, name) => {
  expect(placeOf(flags, env).name).toBe(name)
})
