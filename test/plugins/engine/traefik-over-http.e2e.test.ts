import { cannot } from '../../../plugins/engine/traefik/cannot.ts'
import { describeEngine } from '../../kit/index.ts'
import { traefikOverHttp } from './traefik/under-test.ts'

// What depends on how Traefik gets its routes; `npm run test:whole` has all themes.
describeEngine('engine/traefik, routes over HTTP', {
  engine: traefikOverHttp,
  cannot,
  themes: ['changes', 'churn', 'ledger', 'grpc'],
})
