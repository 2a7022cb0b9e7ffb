/** RFC 7541 appendix A: names and values by turns; entry 1 begins at 0. */
export const staticTable: readonly string[] = `:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`
  .split('\n')
  .flatMap((line) => {
    const blank = line.indexOf(' ')
    return blank < 0 ? [line, ''] : [line.slice(0, blank), line.slice(blank + 1)]
  })

export const staticEntries = staticTable.length / 2

/** What an entry costs beside its text (RFC 7541 section 4.1). */
export const entryOverhead = 32
/** Of both directions, in bytes: what is announced, and what is used of the peer's. */
export const tableBytes = 4_096
