import { expect } from 'vitest'
import { engines } from './engines.ts'
import { faultOn } from './fault.ts'
import { attack } from './smuggling/attack.ts'
import { chunks } from './smuggling/chunks.ts'
import { knownOf } from './smuggling/known.ts'
import { lengths } from './smuggling/lengths.ts'
import { lines } from './smuggling/lines.ts'
import { streams } from './smuggling/streams.ts'

const requests = [...lengths, ...lines, ...chunks]

faultOn(
  11,
  `of ${requests.length} requests over HTTP/1.1 that could be read in two ways the backend sees one clean request or none, and no client the answer to another`,
  engines,
  async (open, engine) => {
    expect((await attack(open, requests, knownOf[engine])).wrong).toEqual([])
  },
)

faultOn(
  11,
  `of ${streams.length} streams of HTTP/2 that would be something else in HTTP/1.1 the backend sees one clean request or none`,
  engines,
  async (open, engine) => {
    expect((await attack(open, streams, knownOf[engine])).wrong).toEqual([])
  },
)
