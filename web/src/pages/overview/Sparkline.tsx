/** A line without axes: only whether something rises or falls. The figures stand beside it. */
export function Sparkline({ values, max }: { values: readonly number[]; max: number }) {
  if (values.length < 2 || max <= 0) return <svg height={28} width="100%" aria-hidden="true" />
  const step = 100 / (values.length - 1)
  const y = (value: number) => 27 - (Math.min(value, max) / max) * 26
  const points = values.map((value, index) => `${(index * step).toFixed(2)},${y(value).toFixed(2)}`).join(' ')
  return (
    <svg height={28} width="100%" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">
      <polygon points={`0,28 ${points} 100,28`} fill="var(--mantine-primary-color-light)" />
      <polyline
        points={points}
        fill="none"
        stroke="var(--mantine-primary-color-filled)"
        strokeWidth={1.5}
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  )
}
