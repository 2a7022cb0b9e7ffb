import { cannot } from '../../../plugins/engine/traefik/cannot.ts'
import { describeEngine } from '../../kit/index.ts'
import { traefikOverHttp } from './traefik/under-test.ts'

describeEngine('engine/traefik, routes over HTTP', { engine: traefikOverHttp, cannot })
