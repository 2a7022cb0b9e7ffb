export * from './resolver/tls-passthrough.ts'
export * from './service/static-node.ts'
export * from './workload/fqdn-proxy.ts'
export * from './workload/name-proxy.ts'
