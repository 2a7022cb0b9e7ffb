import { stringify } from 'yaml'

/**
 * Text for a file that Traefik reads. Route files are run as templates, in which two braces begin a command: no value that gets here
 * may have them.
 */
export const yaml = (value: object): string => {
  const text = stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })
  if (text.includes('{{')) throw new Error('a value for Traefik has a template command in it')
  return text
}
