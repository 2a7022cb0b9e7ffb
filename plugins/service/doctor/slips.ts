import { challengeOf } from '../../../lib/dns/challenge.ts'
import { delegatedTo, ownRecords, type ZoneAbove } from '../../../lib/dns/zone-above.ts'

/** The first of the usual slips that the zone has in place of `_acme-challenge.<domain>`, in words. */
export const findSlip = async (
  above: ZoneAbove,
  domain: string,
): Promise<{ readonly seen: string; readonly rename: string } | undefined> => {
  for (const [name, what] of usual(domain, above.zone)) {
    const reply = await above.ask(name, 'NS')
    const targets = 'failed' in reply ? [] : delegatedTo(reply, name)
    const there = targets.length > 0 ? `NS ${targets.join(', ')}` : await other(above, name)
    if (there) return { seen: `the zone has ${name} (${there}): ${what}`, rename: name }
  }
  return undefined
}

/** Each name with what is wrong about it. */
const usual = (domain: string, zone: string): readonly (readonly [string, string])[] => [
  [`__acme-challenge.${domain}`, 'it begins with two underscores, where one belongs'],
  [`acme-challenge.${domain}`, 'its underscore is missing'],
  [`_acme_challenge.${domain}`, 'an underscore stands for the hyphen'],
  [`_acme-challenge.${domain}.${zone}`, 'the zone was added to it, for its line has no dot at the end'],
  [`_acme-challenge._acme-challenge.${domain}`, 'the label stands twice'],
  ...(zone === domain ? [] : [[challengeOf(zone), `that is the level of ${zone}, not of ${domain}`] as const]),
]

const other = async (above: ZoneAbove, name: string): Promise<string | undefined> => {
  for (const type of ['CNAME', 'TXT'] as const) if ((await ownRecords(above, name, type)).length > 0) return type
  return undefined
}
