import type { Answer, Asked } from './api.ts'

interface CloudflareRecord {
  readonly id: string
  readonly type: string
  readonly name: string
  readonly content: string
  readonly ttl: number
}

/**
 * What Cloudflare's API, version 4, answers to the calls of DNS records, as its reference describes them: the envelope of every answer,
 * filters, pages, codes of errors. Whatever a request has that the reference does not know is an error here.
 */
export const cloudflareApi = ({ token, zones, perPage = 100 }: { token: string; zones: readonly string[]; perPage?: number }) => {
  const records = new Map<string, CloudflareRecord[]>(zones.map((_, at) => [idOf(at), []]))
  let last = 0
  const answer = ({ method, path, query, headers, body }: Asked): Answer => {
    if (!/^Bearer \S+$/.test(headers.authorization ?? '')) return fail(400, 6_003, 'Invalid request headers')
    if (headers.authorization !== `Bearer ${token}`) return fail(403, 9_109, 'Unauthorized to access requested resource')
    const [, version, list, zone = '', records_, record] =
      /^\/(client\/v4)\/(zones)(?:\/([0-9a-f]{32})(?:\/(dns_records)(?:\/([0-9a-f]{32}))?)?)?$/.exec(path) ?? []
    if (!version || !list) return fail(404, 7_003, `Could not route to ${path}`)
    if (zone === '' && method === 'GET') return zoneList(query)
    const own = records.get(zone)
    if (!own || !records_) return fail(404, 7_003, 'Could not route to the zone')
    if (method === 'GET' && !record) return recordList(own, query)
    if (method === 'POST' && !record) return create(zone, own, headers['content-type'], body)
    if (method === 'DELETE' && record) return remove(zone, own, record)
    return fail(405, 10_000, 'Method not allowed')
  }

  const zoneList = (query: URLSearchParams): Answer => {
    if ([...query.keys()].join() !== 'name') return fail(400, 1_001, 'unexpected query')
    const found = zones.flatMap((name, at) => (name === query.get('name') ? [{ id: idOf(at), name, status: 'active' }] : []))
    return page(found, 1, 20)
  }
  const recordList = (own: readonly CloudflareRecord[], query: URLSearchParams): Answer => {
    const known = ['type', 'name.exact', 'per_page', 'page']
    if (![...query.keys()].every((key) => known.includes(key))) return fail(400, 1_001, 'unexpected query')
    const found = own.filter(({ type, name }) => type === query.get('type') && name === query.get('name.exact'))
    return page(found, Number(query.get('page') ?? 1), Math.min(perPage, Number(query.get('per_page') ?? 20)))
  }
  const create = (zone: string, own: CloudflareRecord[], type: string | undefined, body: unknown): Answer => {
    const fields = body as Record<string, unknown>
    if (type !== 'application/json' || Object.keys(fields).sort().join() !== 'content,name,ttl,type')
      return fail(400, 1_004, 'DNS Validation Error')
    const { name, content, ttl } = fields as unknown as CloudflareRecord
    const inZone = name === zones[atOf(zone)] || name.endsWith(`.${zones[atOf(zone)]}`)
    if (fields.type !== 'TXT' || !inZone || !/^"[^"]*"$/.test(content)) return fail(400, 9_000, 'DNS name is invalid.')
    if (ttl !== 1 && !(ttl >= 60 && ttl <= 86_400))
      return fail(400, 9_021, 'Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.')
    if (own.some((one) => one.name === name && one.content === content))
      return fail(400, 81_058, 'An identical record already exists.')
    const made = { id: (++last).toString(16).padStart(32, '0'), type: 'TXT', name, content, ttl }
    own.push(made)
    return { status: 200, json: { success: true, errors: [], messages: [], result: made } }
  }
  const remove = (zone: string, own: CloudflareRecord[], record: string): Answer => {
    if (!own.some(({ id }) => id === record)) return fail(404, 81_044, 'Record does not exist.')
    records.set(
      zone,
      own.filter(({ id }) => id !== record),
    )
    return { status: 200, json: { result: { id: record }, success: true, errors: [], messages: [] } }
  }
  const values = (name: string) =>
    [...records.values()].flat().flatMap((one) => (one.name === name ? [one.content.replace(/^"(.*)"$/, '$1')] : []))
  return { answer, values }
}

const idOf = (at: number) => `${at + 1}`.padStart(32, 'a')
const atOf = (id: string) => Number(id.replace(/^a+/, '')) - 1

const page = (all: readonly unknown[], number: number, size: number): Answer => {
  const result = all.slice((number - 1) * size, number * size)
  const result_info = {
    page: number,
    per_page: size,
    count: result.length,
    total_count: all.length,
    total_pages: Math.ceil(all.length / size),
  }
  return { status: 200, json: { success: true, errors: [], messages: [], result, result_info } }
}
const fail = (status: number, code: number, message: string): Answer => ({
  status,
  json: { success: false, errors: [{ code, message }], messages: [], result: null },
})
