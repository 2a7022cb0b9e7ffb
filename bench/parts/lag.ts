import { get } from 'node:http'

/** How late the event loop of a gateway was, in ms, since it was last asked. */
export const lagOf = async (socketPath: string): Promise<{ readonly p99: number; readonly most: number }> => {
  const text = await new Promise<string>((resolve, reject) => {
    get({ socketPath, path: '/metrics' }, (answer) => {
      let all = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        all += chunk
      })
      answer.on('end', () => resolve(all))
    }).on('error', reject)
  })
  const figure = (name: string) =>
    Number(new RegExp(`^nodejs_eventloop_lag_${name}_seconds (\\S+)$`, 'm').exec(text)?.[1] ?? 0) * 1_000
  return { p99: figure('p99'), most: figure('max') }
}
