import { readFileSync } from 'node:fs'

/** A user of the machine (passwd(5)); `undefined` where there is none of this name. */
export const userNamed = (name: string): { readonly uid: number; readonly gid: number } | undefined => {
  const fields = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([user]) => user === name)
  return fields && { uid: Number(fields[2]), gid: Number(fields[3]) }
}
