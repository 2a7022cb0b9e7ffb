import { processes } from '../../../../plugins/service/processes/index.ts'
import { describeSupervisor } from '../../../kit/index.ts'

describeSupervisor('service/processes', { supervisor: () => processes({ backoff: { first: 0.1, most: 1 } }) })
