/** How much a run does. */
export interface Options {
  /** A few seconds a figure, for looking whether something moved; its results are written down only with `--write`. */
  readonly quick: boolean
  /** Multiplies counts of requests and cycles, 1 by default. */
  readonly scale: number
  /** Says what is under way. */
  readonly say: (line: string) => void
}

/** One figure as it is shown and written down. */
export interface Figure {
  readonly title: string
  readonly columns: readonly string[]
  /** Cells by column; numbers are text already. */
  readonly rows: readonly (readonly string[])[]
  readonly targets: readonly Target[]
  /** Sentences below the table: what was measured how. */
  readonly notes: readonly string[]
}
export interface Target {
  readonly what: string
  readonly value: number
  /** The most that `value` may be. */
  readonly most: number
  readonly unit?: string
}
export type Measure = (options: Options) => Promise<Figure>
