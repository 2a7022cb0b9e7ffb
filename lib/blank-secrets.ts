/** Characters of a stranger's text that are looked at: more than any message shows. */
const longest = 8_192
/** Characters of a secret in a row that are blanked wherever they stand; a shorter secret is blanked whole. */
const run = 8
/** How many encodings may lie over each other. */
const depth = 3

const withheld = '(withheld: it has a secret in it)'

/**
 * The text with `***` in place of each secret, as it is or in an encoding: URL, base64 (each alignment, both alphabets), hex, JSON,
 * Unicode and HTML escapes; also where a part of it stands. Text in which a secret is otherwise found after decoding is withheld whole.
 */
export const blankSecrets = (text: string, secrets: readonly string[]): string => {
  const known = secrets.filter((secret) => secret !== '')
  if (known.length === 0) return text
  const cut = text.slice(0, longest)
  const blanked = blank(cut, known.flatMap(formsOf))
  return known.some((secret) => secret.length >= 4 && hidesIn(blanked, secret, depth)) ? withheld : blanked
}

interface Form {
  readonly text: string
  /** Characters in a row that give it away. */
  readonly run: number
}

const formsOf = (secret: string): readonly Form[] => {
  const bytes = Buffer.from(secret)
  const form = (text: string, width: number): Form => ({
    text: text.toLowerCase(),
    run: Math.min(text.length, Math.ceil(run * width)),
  })
  const codes = Array.from(secret, (_, at) => secret.charCodeAt(at).toString(16).padStart(4, '0'))
  return [
    form(secret, 1),
    form(JSON.stringify(secret).slice(1, -1), 1),
    form(encodeURIComponent(secret), 1),
    form(new URLSearchParams([['', secret]]).toString().slice(1), 1),
    form(bytes.toString('hex'), 2),
    form([...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''), 3),
    form(codes.map((code) => `\\u${code}`).join(''), 6),
    ...[0, 1, 2].flatMap((shift) =>
      (['base64', 'base64url'] as const).map((alphabet) => form(base64Of(bytes, shift, alphabet), 4 / 3)),
    ),
  ].filter(({ text }) => text !== '')
}

/** The characters that the bytes alone decide, wherever among others they stand. */
const base64Of = (bytes: Buffer, shift: number, alphabet: 'base64' | 'base64url'): string => {
  const whole = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString(alphabet)
    .replace(/=+$/, '')
  const before = [0, 2, 3][shift] ?? 0
  return whole.slice(before, (shift + bytes.length) % 3 === 0 ? undefined : -1)
}

const blank = (text: string, forms: readonly Form[]): string => {
  const lower = text.toLowerCase()
  const hidden = new Uint8Array(text.length)
  for (const { text: form, run: width } of forms) {
    const parts = new Set(Array.from({ length: form.length - width + 1 }, (_, at) => form.slice(at, at + width)))
    for (let at = 0; at + width <= lower.length; at++) if (parts.has(lower.slice(at, at + width))) hidden.fill(1, at, at + width)
  }
  let out = ''
  for (let at = 0; at < text.length; at++)
    if (!hidden[at]) out += text[at]
    else if (at === 0 || !hidden[at - 1]) out += '***'
  return out
}

/** Whether the secret comes out of the text by some decoding, or stands in it with other characters between its own. */
const hidesIn = (text: string, secret: string, left: number): boolean => {
  const [given, wanted] = [text.toLowerCase(), secret.toLowerCase()]
  if (
    given.includes(wanted) ||
    (wanted.length >= run && letters(given).includes(letters(wanted)) && letters(wanted).length >= run)
  )
    return true
  return left > 0 && decodings(text).some((decoded) => decoded !== text && hidesIn(decoded, secret, left - 1))
}
const letters = (text: string): string => text.replace(/[^\p{L}\p{N}]/gu, '')

const decodings = (text: string): readonly string[] => [
  text
    .replaceAll('+', ' ')
    .replace(/(?:%[0-9a-f]{2})+/gi, (escaped) => Buffer.from(escaped.replaceAll('%', ''), 'hex').toString()),
  text.replace(/(?:%[0-9a-f]{2})+/gi, (escaped) => Buffer.from(escaped.replaceAll('%', ''), 'hex').toString()),
  text
    .replace(/\\u\{?([0-9a-f]{1,6})\}?|\\x([0-9a-f]{2})|&#x([0-9a-f]{1,6});/gi, (_, a, b, c) =>
      charOf(Number.parseInt(a ?? b ?? c, 16)),
    )
    .replace(/&#(\d{1,7});/g, (_, number) => charOf(Number(number)))
    .replace(/\\(["\\/])/g, '$1'),
  ...['hex', 'base64', 'base64url'].map((encoding) => unpacked(text, encoding === 'hex' ? 'hex' : 'base64')),
  unpacked(text.replace(/[\s:,"\\]+/g, ''), 'base64'),
  unpacked(text.replace(/[\s:,-]+|0x|\\x/g, ''), 'hex'),
]
const charOf = (code: number): string => (code <= 0x10ffff ? String.fromCodePoint(code) : '')
const unpacked = (text: string, encoding: 'hex' | 'base64'): string =>
  text.replace(encoding === 'hex' ? /(?:[0-9a-f]{2}){4,}/gi : /[A-Za-z0-9+/_-]{6,}/g, (packed) =>
    Buffer.from(packed, encoding).toString(),
  )
