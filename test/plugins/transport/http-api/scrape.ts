import { type Bytes, definePlugin, type Plugin, type WorkloadId } from '../../../../core/index.ts'
import { ask, startApi, wanted } from './parts.ts'

/** A plugin whose name has every character that the exposition format escapes, and more. */
export const oddName = 'odd"quote\\back\nline}{,=é\u2028'
export const ids = ['a-1', '__proto__', 'constructor', '_', '0']

/** What a gateway with known counts says to Prometheus, and the counts. */
export const scrape = async () => {
  const bytes = new Map(
    ids.map((id, i): [WorkloadId, Bytes] => [id as WorkloadId, { request: i * 1000, response: 2 ** 53 - 1 - i }]),
  )
  const metrics = definePlugin({
    name: 'metrics/fixed',
    kind: 'metrics',
    setup: () => ({ observe: () => undefined, report: () => bytes }),
  })
  const odd: Plugin = definePlugin({ name: `service/${oddName}`, kind: 'service', setup: () => ({}) })
  const api = await startApi({}, metrics, odd)
  for (let n = 0; n < 5; n++)
    await ask(api.gateway, `/v1/workloads/m-${n}`, { method: 'PUT', body: wanted(`m-${n}.example.org`) })
  await ask(api.gateway, '/v1/workloads/m-9', { method: 'PUT', body: wanted('m-1.example.org') })
  const stats = api.gateway.stats()
  const { status, headers, text } = await ask(api.gateway, '/metrics')
  await api.close()
  return { status, type: headers['content-type'], text, bytes, stats }
}
