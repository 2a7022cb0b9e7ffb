import { describeEngine } from '../../kit/index.ts'
import { embeddedUnderTest } from './embedded/under-test.ts'

describeEngine('engine/embedded', { sideBySide: true, engine: embeddedUnderTest })
