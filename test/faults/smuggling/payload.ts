/** One thing that a client sends. In `bytes` and `fields` the path `/at0000end` stands for one of its own, as long, by which it is known behind the gateway. */
export interface Payload {
  /** What kind of thing it is: what an engine is known for is known by it. */
  readonly group: string
  readonly name: string
  readonly bytes: string
  /** `refused`: nothing of it may reach the backend as a request. `one`: it has to arrive, once. `either`: once or not at all. */
  readonly has: 'refused' | 'one' | 'either'
}

export const host = 'a.test'
export const placeholder = '/at0000end'
/** What must never be a request: it stands in bodies, behind requests, and where a line may break. */
export const smuggled = `GET /smuggled/at0000end HTTP/1.1\r\nHost: ${host}\r\nX: `
export const whole = `GET /smuggled/at0000end HTTP/1.1\r\nHost: ${host}\r\n\r\n`

export const head = (...lines: readonly string[]) =>
  `POST /at0000end HTTP/1.1\r\nHost: ${host}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`

export const list = (
  group: string,
  has: Payload['has'],
  all: Readonly<Record<string, string>> | readonly (readonly string[])[],
): Payload[] =>
  (Array.isArray(all) ? all : Object.entries(all)).map(([name = '', bytes = '']: readonly string[]) => ({
    group,
    name,
    bytes,
    has,
  }))

/** How a byte is called in a name of a case. */
export const byteName = (code: number) => `0x${code.toString(16).padStart(2, '0')}`
export const controls = [...Array.from({ length: 32 }, (_, code) => code), 127]
