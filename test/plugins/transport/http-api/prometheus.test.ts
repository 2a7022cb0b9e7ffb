import { expect, test } from 'vitest'
import { scrape } from './scrape.ts'

test('39: /metrics has bytes, operations, their durations, certificates and the process', async () => {
  const { status, type, text, bytes } = await scrape()
  expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  const lines = text.split('\n')
  for (const [id, { request, response }] of bytes) {
    expect(lines).toContain(`gateway_workload_request_bytes_total{workload="${id}"} ${request}`)
    expect(lines).toContain(`gateway_workload_response_bytes_total{workload="${id}"} ${response}`)
  }
  expect(lines).toContain('gateway_operations_total{operation="set-fqdn",outcome="ok"} 5')
  expect(lines).toContain('gateway_operations_total{operation="set-fqdn",outcome="DOMAIN_TAKEN"} 1')
  expect(lines).toContain('gateway_operation_duration_seconds_count{operation="set-fqdn",outcome="ok"} 5')
  expect(lines).toContain('gateway_operation_duration_seconds_bucket{operation="set-fqdn",outcome="ok",le="+Inf"} 5')
  expect(lines).toContain('gateway_workloads 5')
  for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_seconds'])
    expect(lines.some((line) => line.startsWith(`${name} `))).toBe(true)
})
