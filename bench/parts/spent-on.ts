/** Shares by what was done. */
export type Groups = ReadonlyMap<string, number>

/** What a function of the gateway's process belongs to. */
export const nodeGroup = (name: string, url: string): string => {
  if (name === '(garbage collector)') return 'garbage collection'
  if (name === '(program)') return 'event loop, reads and decryption (native)'
  if (url === '') return /^(write|shutdown)/.test(name) ? 'writes and encryption (native)' : 'other native functions'
  for (const [part, group] of nodeParts) if (part.test(url)) return group
  return 'the rest of the gateway'
}
const nodeParts: readonly (readonly [RegExp, string])[] = [
  [/engine\/embedded\/(wire|request-head|response-reader|fields|h2\/)/, 'the gateway: heads and bodies of HTTP'],
  [/engine\/embedded\//, 'the gateway: routes, backends, counting'],
  [
    /node:(internal\/timers|timers|internal\/process|internal\/async_hooks|async_hooks|diagnostics_channel)/,
    "Node's timers and queues",
  ],
  [/node:_http/, "Node's HTTP"],
  [
    /node:(net|tls|_tls|stream|internal\/streams|internal\/stream_base|internal\/js_stream|events|buffer|internal\/buffer)/,
    "Node's sockets, streams and buffers",
  ],
  [/node:/, 'the rest of Node'],
]

/** What a function of Traefik's belongs to. */
export const goGroup = (name: string): string => {
  for (const [part, group] of goParts) if (part.test(name)) return group
  return 'the rest'
}
const goParts: readonly (readonly [RegExp, string])[] = [
  [/^(internal\/runtime\/syscall|syscall|internal\/poll|net\.|os\.)/, 'reads and writes'],
  [/^(crypto|vendor\/golang\.org\/x\/crypto|internal\/chacha|hash)/, 'TLS'],
  [
    /^runtime\.(gc|mallocgc|mallocgcTiny|malloc|scan|grey|mark|sweep|bgsweep|bgscavenge|heap|span|mspan|mcache|mcentral|mheap|wb|bulkBarrier|typePointers|findObject|nextFree|newobject|makeslice|growslice|memclr|publicationBarrier|deduct|tryDefer|\(\*(mspan|mheap|mcache|mcentral|gc|lfstack|sweep|pageAlloc|unwinder|pcvalue|moduledata))/,
    'memory and garbage collection',
  ],
  [
    /^(runtime|internal\/runtime|sync|internal\/sync|time|context|gogo|aeshash|memeq|cmpbody|indexbyte|internal\/bytealg)/,
    "Go's scheduler, timers and runtime",
  ],
  [/^(net\/http|net\/textproto|bufio|golang\.org\/x\/net|net\/url|mime|io|bytes|strings|strconv)/, "Go's HTTP"],
  [/traefik/, 'Traefik'],
]
