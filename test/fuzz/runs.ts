import fc from 'fast-check'

/** Cases of each field: RUNS, which `npm run fuzz` sets to a million. */
export const runs = Number(process.env.RUNS ?? 20_000)
/** Milliseconds for them, however busy the machine is. */
export const patience = 120_000 + runs * 5

export const property = <T>(cases: fc.Arbitrary<T>, holds: (value: T) => void): void =>
  fc.assert(fc.property(cases, holds), { numRuns: runs, interruptAfterTimeLimit: patience, markInterruptAsFailure: true })

/** Text near to something: of these characters, with now and then any other. */
export const near = (characters: string, maxLength: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.oneof(
      { weight: 30, arbitrary: fc.constantFrom(...characters) },
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
    maxLength,
  })
