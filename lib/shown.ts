const hidden = /[\p{C}\p{Zl}\p{Zp}]/gu
const limit = 200

/** Text of a stranger's, fit for a message or a log line: what does not print (controls, line ends, direction marks) escaped, at most 200 characters of it. */
export const shown = (text: string): string => {
  const head = text.length > limit ? text.slice(0, limit) : text
  const clean = head.replace(hidden, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`)
  return head === text ? clean : `${clean}... (${text.length} characters)`
}
