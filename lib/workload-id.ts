const shape = /^[A-Za-z0-9_-]{1,128}$/
const owned = /^0*(\d+)-\d+-./

/** Letters, digits, `-` and `_`, 1 to 128 of them: an id is also a file name and a name in the engine. */
export const isWorkloadId = (text: string): boolean => shape.test(text)

/** The twin of an id of the form `twin-contract-name`. */
export const twinOf = (id: string): string | undefined => owned.exec(id)?.[1]

/** Whom limits count by: the twin, or the id itself where it carries none. */
export const tenantOf = (id: string): string => twinOf(id) ?? id
