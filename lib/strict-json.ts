/**
 * JSON as RFC 8259 has it, and nothing that two parsers could read differently (RFC 8259 section 4): no key twice in an object,
 * no `__proto__`, at most `depth` levels of arrays and objects, at most `values` members and elements in all. Throws SyntaxError, as
 * soon as one of these is seen.
 */
export const parseStrictJson = (text: string, depth = 16, values = 10_000): unknown => {
  checkShape(text, depth, values)
  return JSON.parse(text)
}

/** Before the parser, which takes long over a megabyte of brackets. What is not JSON passes here. `keys` is undefined inside an array. */
const checkShape = (text: string, depth: number, values: number): void => {
  let seen = 0
  const open: { keys: Set<string> | undefined; key: boolean }[] = []
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    const inner = open.at(-1)
    if (char === '"') {
      const end = endOfString(text, i)
      if (inner?.keys && inner.key && end < text.length) addKey(inner.keys, String(JSON.parse(text.slice(i, end + 1))))
      i = end
    } else if (char === '{' || char === '[') {
      if (open.length === depth) throw new SyntaxError(`more than ${depth} levels of nesting`)
      open.push({ keys: char === '{' ? new Set() : undefined, key: true })
    } else if (char === '}' || char === ']') open.pop()
    else if (inner && char === ':') inner.key = false
    else if (inner && char === ',') inner.key = true
    // Each opening and each comma stands before a member or element at most.
    if ((char === ',' || char === '{' || char === '[') && ++seen > values)
      throw new SyntaxError(`more than ${values} members and elements`)
  }
}

const endOfString = (text: string, start: number): number => {
  let end = start + 1
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1
  return end
}

const addKey = (keys: Set<string>, key: string): void => {
  if (key === '__proto__') throw new SyntaxError('the key "__proto__" is not allowed')
  if (keys.has(key)) throw new SyntaxError(`the key ${JSON.stringify(key.slice(0, 64))} stands twice`)
  keys.add(key)
}
