const shape = /^[A-Za-z0-9_-]{1,128}$/
const owned = /^0*(\d+)-\d+-./
/** Of a workload id. What is longer is none, and not searched: callers are counted before their ids are checked. */
const longest = 128

/**
 * Letters, digits, `-` and `_`, 1 to 128 of them: an id is also a file name, a name in the engine, and a key of JSON objects. So no
 * member of every JavaScript object is one, such as `__proto__` and `constructor`.
 */
export const isWorkloadId = (text: string): boolean => shape.test(text) && !isObjectMember(text)

/** Whether every JavaScript object has a member of this name. */
export const isObjectMember = (text: string): boolean => text in Object.prototype

/** The twin of an id of the form `twin-contract-name`. */
export const twinOf = (id: string): string | undefined => (id.length > longest ? undefined : owned.exec(id)?.[1])

/** Whom limits count by: the twin, or the id itself where it carries none. */
export const tenantOf = (id: string): string => twinOf(id) ?? id
