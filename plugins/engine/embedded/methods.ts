// Of the IANA registry of HTTP methods, but for CONNECT, PRI and TRACE, which are refused.
const registered = [
  'ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY DELETE GET HEAD LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF',
  'MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PROPFIND PROPPATCH PUT QUERY REBIND REPORT SEARCH UNBIND UNCHECKOUT UNLINK UNLOCK',
  'UPDATE UPDATEREDIRECTREF VERSION-CONTROL',
]
// Of caches, UPnP, Vault, Exchange, Remote Desktop Gateway and BITS.
const inUse = [
  'BAN BCOPY BDELETE BITS_POST BMOVE BPROPFIND BPROPPATCH LIST M-SEARCH NOTIFY POLL PURGE RDG_IN_DATA RDG_OUT_DATA REFRESH',
  'RPC_IN_DATA RPC_OUT_DATA SOURCE SUBSCRIBE UNSUBSCRIBE X-MS-ENUMATTS',
]

/**
 * The methods that are forwarded. Others are not: the first word that an HTTP/1.1 backend reads would be the client's to choose, and a
 * backend that speaks another protocol may take it for a command.
 */
export const servedMethods: ReadonlySet<string> = new Set([...registered, ...inUse].flatMap((line) => line.split(' ')))
