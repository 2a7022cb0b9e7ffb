/** What the process held at one moment. */
export interface Sample {
  /** Milliseconds. */
  readonly at: number
  readonly rss: number
  /** Bytes that JavaScript holds, buffers among them. */
  readonly heap: number
  readonly descriptors: number
  readonly timers: number
}
export type Measure = Exclude<keyof Sample, 'at'>

/** What a measure may differ between the second quarter of a run and its last one: of its value, and whatever it is. */
const allowed: Readonly<Record<Measure, { readonly part: number; readonly least: number }>> = {
  rss: { part: 0.15, least: 24 << 20 },
  heap: { part: 0.15, least: 8 << 20 },
  descriptors: { part: 0.1, least: 24 },
  timers: { part: 0.1, least: 24 },
}

export interface Line {
  readonly measure: Measure
  /** Medians of the second and of the last quarter: the first one is warming up. */
  readonly before: number
  readonly after: number
  /** Of a least-squares line behind the first quarter, an hour. */
  readonly slope: number
  readonly flat: boolean
}

/** Whether a run was flat, measure by measure. */
export const lines = (samples: readonly Sample[]): readonly Line[] =>
  (['rss', 'heap', 'descriptors', 'timers'] as const).map((measure) => {
    const quarter = Math.floor(samples.length / 4)
    const of = (from: number, to: number) => median(samples.slice(from, to).map((sample) => sample[measure]))
    const [before, after] = [of(quarter, 2 * quarter), of(samples.length - quarter, samples.length)]
    const { part, least } = allowed[measure]
    return {
      measure,
      before,
      after,
      slope: slope(samples.slice(quarter), measure),
      flat: after - before <= Math.max(before * part, least),
    }
  })

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const slope = (samples: readonly Sample[], measure: Measure): number => {
  const mean = (pick: (sample: Sample) => number) => samples.reduce((sum, sample) => sum + pick(sample), 0) / samples.length
  const [x, y] = [mean(({ at }) => at), mean((sample) => sample[measure])]
  const over = samples.reduce((sum, sample) => sum + (sample.at - x) * (sample[measure] - y), 0)
  return (over / samples.reduce((sum, { at }) => sum + (at - x) ** 2, 0)) * 3_600_000
}
