/** The value below which `part` (0 to 1) of the samples lie. */
export const percentile = (samples: readonly number[], part: number): number => {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
}
export const median = (samples: readonly number[]): number => percentile(samples, 0.5)
export const sum = (samples: readonly number[]): number => samples.reduce((total, one) => total + one, 0)

/** Three significant digits: 0.123, 1.23, 12.3, 123, 1234. */
export const digits = (value: number): string =>
  !Number.isFinite(value) ? '-' : Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)))
export const ms = (value: number): string => `${digits(value)} ms`
export const times = (value: number): string => `${digits(value)}x`
export const count = (value: number): string => value.toLocaleString('en')

/** Slope of a least-squares line, in units of `y` a unit of `x`. */
export const slope = (points: readonly (readonly [x: number, y: number])[]): number => {
  const meanX = sum(points.map(([x]) => x)) / points.length
  const meanY = sum(points.map(([, y]) => y)) / points.length
  const over = sum(points.map(([x, y]) => (x - meanX) * (y - meanY)))
  return over / sum(points.map(([x]) => (x - meanX) ** 2))
}
