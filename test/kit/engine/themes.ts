import { answers } from './answers.ts'
import { backends } from './backends.ts'
import { badCalls } from './bad-calls.ts'
import { bytes } from './bytes.ts'
import type { Cases } from './cases.ts'
import { changes } from './changes.ts'
import { churn } from './churn.ts'
import { clientHellos } from './client-hellos.ts'
import { drain } from './drain.ts'
import { failures } from './failures.ts'
import { floods } from './floods.ts'
import { grpc } from './grpc.ts'
import { headers } from './headers.ts'
import { ledger } from './ledger.ts'
import { limits } from './limits.ts'
import { logs } from './logs.ts'
import { passthrough } from './passthrough.ts'
import { proxies } from './proxies.ts'
import { refusals } from './refusals.ts'
import { shutdown } from './shutdown.ts'
import { streams } from './streams.ts'
import { tls } from './tls.ts'
import { upgrades } from './upgrades.ts'

/** Every case of the suite, by what it is about. */
export const themes = {
  answers,
  streams,
  upgrades,
  tls,
  passthrough,
  clientHellos,
  backends,
  headers,
  refusals,
  failures,
  limits,
  floods,
  proxies,
  grpc,
  badCalls,
  changes,
  churn,
  drain,
  shutdown,
  bytes,
  ledger,
  logs,
} satisfies Readonly<Record<string, Cases>>
