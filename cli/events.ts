import { GatewayError } from '../core/errors.ts'
import { shown } from '../lib/shown.ts'
import { connect } from './client.ts'
import { connectionFlags } from './connection.ts'
import { print } from './output.ts'
import { verb } from './verb.ts'

export default verb({
  about:
    'Prints the events that are kept, one a line; with --follow new ones as they come, until Ctrl-C. --json: one object a line.',
  args: {
    follow: { type: 'boolean', alias: 'f', description: 'Go on with new events; without --since, only those' },
    since: { type: 'string', valueHint: 'n', description: 'Only events after this number' },
    ...connectionFlags,
  },
  examples: ['gateway events', 'gateway events -f', 'gateway events -f --since 1042 --json'],
  run: async (args) => {
    const since = args.since ?? (args.follow ? undefined : '0')
    const query = new URLSearchParams({ follow: String(args.follow ?? false), ...(since !== undefined && { since }) })
    const { stream, place } = connect(args)
    const answer = await stream(`/v1/events?${query}`, { accept: 'text/event-stream' })
    let last = since
    for await (const { id, data } of parse(answer.setEncoding('utf8'))) {
      last = id
      print(args.json ? data : describe(JSON.parse(data)))
    }
    if (args.follow)
      throw new GatewayError(
        'NOT_RUNNING',
        `${place.name} closed the stream`,
        `go on with: gateway events -f --since ${last ?? 0}`,
      )
  },
})

/** Server-sent events, each `id` and `data`; comments and the rest are left out. */
async function* parse(chunks: AsyncIterable<string>): AsyncGenerator<{ id: string; data: string }> {
  let rest = ''
  try {
    for await (const chunk of chunks) {
      const blocks = `${rest}${chunk}`.split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const [, id] = /^id: (.*)$/m.exec(block) ?? []
        const [, data] = /^data: (.*)$/m.exec(block) ?? []
        if (id !== undefined && data !== undefined) yield { id, data }
      }
    }
  } catch {
    // Cut instead of ended: to the reader the same.
  }
}

interface Line {
  readonly seq: number
  readonly at: string
  readonly type: string
  readonly [key: string]: unknown
}

/** An event as one line: time, number, type, then what it says. */
const describe = ({ seq, at, type, ...rest }: Line): string => {
  const words = Object.entries(rest).map(([key, value]) => `${key}=${wordOf(key, value)}`)
  return shownLine([at, `#${seq}`, type, ...words].join(' '))
}
const wordOf = (key: string, value: unknown): string => {
  if (isRoute(key, value)) return `${value.id} ${value.url} -> ${value.backends.join(',')}`
  return typeof value === 'string' ? value : JSON.stringify(value)
}
const isRoute = (key: string, value: unknown): value is { id: string; url: string; backends: string[] } =>
  (key === 'route' || key === 'previous') && typeof value === 'object' && value !== null && 'url' in value
const shownLine = (line: string): string => (line.match(/.{1,200}/gsu) ?? []).map(shown).join('')
