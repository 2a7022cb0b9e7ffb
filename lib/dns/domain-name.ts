/** RFC 1035 section 2.3.4: the most bytes of a name on the wire. */
const maxNameBytes = 255
/** Far more pointers than a name compressed by anybody has. */
const maxPointers = 32

/** The offset after the name at `at`, a pointer not followed. `undefined` where the name is cut short or has an unknown label type. */
export const endOfName = (message: Uint8Array, at: number): number | undefined => {
  for (let next = at; next - at < maxNameBytes; ) {
    const length = message[next]
    if (length === undefined || (length & 0xc0) === 0x40 || (length & 0xc0) === 0x80) return undefined
    const end = length >= 0xc0 ? next + 2 : next + 1 + length
    if (end > message.length) return undefined
    if (length === 0 || length >= 0xc0) return end
    next = end
  }
  return undefined
}

/**
 * The name at `at`, with pointers followed (RFC 1035 section 4.1.4) and a dot between its labels. `undefined` where it is malformed. Each
 * pointer must lead to an earlier offset than the one before it, and there are at most 32, so a name has a bounded cost.
 */
export const readName = (message: Buffer, at: number): string | undefined => {
  const labels: string[] = []
  let bytes = 1
  let earliest = at
  let pointers = 0
  for (let next = at; ; ) {
    const length = message[next]
    if (length === undefined) return undefined
    if (length === 0) return labels.join('.')
    if (length >= 0xc0) {
      const low = message[next + 1]
      const target = ((length & 0x3f) << 8) | (low ?? 0)
      pointers++
      if (low === undefined || target >= earliest || pointers > maxPointers) return undefined
      earliest = target
      next = target
      continue
    }
    bytes += 1 + length
    if (length > 63 || bytes > maxNameBytes || next + 1 + length > message.length) return undefined
    labels.push(labelText(message.toString('latin1', next + 1, next + 1 + length)))
    next += 1 + length
  }
}

/** A label as RFC 1035 section 5.1 writes it: a dot is no border of labels, and what does not print stands as a number. */
const labelText = (label: string): string =>
  /^[\w-]+$/.test(label)
    ? label
    : label.replace(/[^!-~]|[.\\]/g, (char) =>
        char === '.' || char === '\\' ? `\\${char}` : `\\${`${char.charCodeAt(0)}`.padStart(3, '0')}`,
      )
