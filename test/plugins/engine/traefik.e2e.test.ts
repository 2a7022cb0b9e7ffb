import { cannot } from '../../../plugins/engine/traefik/cannot.ts'
import { describeEngine } from '../../kit/index.ts'
import { traefikUnderTest } from './traefik/under-test.ts'

describeEngine('engine/traefik', { engine: traefikUnderTest, cannot })
