import type { Verb } from './verb.ts'

/** Every verb with its line in `gateway --help`; a verb's own file is imported only when it is asked for. */
export const verbs: Readonly<
  Record<string, { readonly summary: string; readonly load: () => Promise<{ readonly default: Verb }> }>
> = {
  run: { summary: 'Run the gateway (what happens without a command, too)', load: () => import('./serve.ts') },
  init: { summary: 'Write a config file to change', load: () => import('./init.ts') },
  import: { summary: 'Take over the workloads that another gateway left', load: () => import('./import.ts') },
  rollback: { summary: 'Leave the workloads to the Go gateway module', load: () => import('./rollback.ts') },
  'set-name': { summary: "Serve a name under the gateway's domain", load: () => import('./set-name.ts') },
  'set-fqdn': { summary: 'Serve a whole host name', load: () => import('./set-fqdn.ts') },
  plan: { summary: 'Say what a set would do, and do nothing', load: () => import('./plan.ts') },
  delete: { summary: 'Stop serving a workload', load: () => import('./delete.ts') },
  get: { summary: 'Show a workload', load: () => import('./get.ts') },
  list: { summary: 'List workloads', load: () => import('./list.ts') },
  metrics: { summary: 'Show the bytes of every workload', load: () => import('./metrics.ts') },
  certs: { summary: 'List certificates, or renew one', load: () => import('./certs.ts') },
  'acme-account': { summary: 'List accounts with CAs, or make a new one', load: () => import('./acme-account.ts') },
  'new-plugin': { summary: 'Write a package with a plugin of your own', load: () => import('./new-plugin.ts') },
  doctor: { summary: 'Find out why a name does not work', load: () => import('./doctor.ts') },
  'dns-records': { summary: 'Print what the zone of the domain needs', load: () => import('./dns-records.ts') },
  events: { summary: 'Show what happened, or follow it', load: () => import('./events.ts') },
  status: { summary: 'Show the gateway and its plugins', load: () => import('./status.ts') },
  reload: { summary: 'Take a changed config file without a restart', load: () => import('./reload.ts') },
  backup: { summary: 'Write all that the gateway keeps to a file', load: () => import('./backup.ts') },
  restore: { summary: 'Bring a backup into an empty root', load: () => import('./restore.ts') },
  upgrade: { summary: 'Have the gateway that is on the disk now take over', load: () => import('./upgrade.ts') },
  token: { summary: 'Make a token for the HTTP API', load: () => import('./token.ts') },
}
