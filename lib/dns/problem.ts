/** What stands against a certificate in the DNS, with the record to add: the shape of a `Problem`. */
export interface DnsProblem {
  readonly code: 'DNS_MISMATCH' | 'DNS_FAILED' | 'CAA_FORBIDS' | 'DELEGATION_MISSING'
  readonly message: string
  readonly fix: string
}
