import { nameProxy, staticNode } from '../../../../plugins/index.ts'

/** What a gateway needs to serve names under a domain. */
export const namedProxy = (domain: string) => [staticNode({ domain }), nameProxy()]
