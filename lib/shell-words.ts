/** Words as a POSIX shell would read them back, each by itself: nothing in them is expanded. */
export const joinWords = (words: readonly string[]): string =>
  words.map((word) => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`)).join(' ')

/** The words of a command line without expansions, as shlex splits it; `undefined` where a quote is not closed. */
export const splitWords = (line: string): readonly string[] | undefined => {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at)
    if (quote === "'" ? char === quote : quote === '"' && char === quote) quote = ''
    else if (quote === '' && (char === "'" || char === '"')) {
      quote = char
      word ??= ''
    } else if (char === '\\' && quote !== "'" && (quote === '' || '"\\$`'.includes(line.charAt(at + 1)))) {
      at++
      word = (word ?? '') + line.charAt(at)
    } else if (quote === '' && /\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + char
  }
  if (quote !== '') return undefined
  return word === undefined ? words : [...words, word]
}
