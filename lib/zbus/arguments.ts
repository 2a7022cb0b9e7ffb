/**
 * The arguments of a Go caller as fields of an operation. What is wrong throws an Error in the words of Go's zbus server; nil is a zero
 * value, absent and unknown fields of a struct are fine, and a byte string is as good as a text, all as Go decodes.
 */
export type Read = (args: readonly unknown[]) => Record<string, unknown>

/** `(id, struct)` or `(id, name, backends, passthrough)`; where it is neither, the count that the object's own callers send is named. */
export const setArguments = (key: 'name' | 'fqdn', usual: 2 | 4): Read => {
  const struct = key === 'name' ? 'zos.GatewayNameProxy' : 'zos.GatewayFQDNProxy'
  const field = key === 'name' ? 'Name' : 'FQDN'
  return (args) => {
    const shape = { do: `set-${key}`, id: args[0] }
    if (args.length === 4) {
      const [id, host, backends, passthrough] = args
      return {
        ...shape,
        id: text(id) ?? wrong(0, 'string'),
        [key]: text(host) ?? wrong(1, 'string'),
        backends: texts(backends) ?? wrong(2, '[]string'),
        passthrough: flag(passthrough) ?? wrong(3, 'bool'),
      }
    }
    if (args.length !== 2) return wrongCount(usual, args.length)
    const id = text(args[0]) ?? wrong(0, 'string')
    const given = fields(args[1]) ?? wrong(1, struct)
    const network = given.get('Network') ?? null
    return {
      ...shape,
      id,
      [key]: text(given.get(field) ?? null) ?? wrong(1, struct),
      backends: texts(given.get('Backends') ?? null) ?? wrong(1, struct),
      passthrough: flag(given.get('TLSPassthrough') ?? null) ?? wrong(1, struct),
      ...(network === null ? {} : { network: text(network) ?? wrong(1, struct) }),
    }
  }
}

export const deleteArguments: Read = (args) => {
  if (args.length !== 1) return wrongCount(1, args.length)
  return { do: 'delete', id: text(args[0]) ?? wrong(0, 'string') }
}

export const metricsArguments: Read = (args) => (args.length === 0 ? { do: 'metrics' } : wrongCount(0, args.length))

const text = (value: unknown): string | undefined => {
  if (value === null) return ''
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  return typeof value === 'string' ? value : undefined
}

const texts = (value: unknown): string[] | undefined => {
  if (value === null) return []
  if (!Array.isArray(value)) return undefined
  const all = value.map(text)
  return all.every((each) => each !== undefined) ? all : undefined
}

const flag = (value: unknown): boolean | undefined => (value === null ? false : typeof value === 'boolean' ? value : undefined)

const fields = (value: unknown): ReadonlyMap<string, unknown> | undefined => {
  if (value === null) return new Map()
  const isMap = typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype
  return isMap ? new Map(Object.entries(value)) : undefined
}

const wrong = (at: number, expected: string): never => {
  throw new Error(`invalid argument type [${at}] expecting ${expected} got`)
}
const wrongCount = (expected: number, got: number): never => {
  throw new Error(`invalid number of arguments expecting ${expected} got ${got}`)
}
