import { expect, test } from 'vitest'
import { aligned, joined, summary, thinned } from '@/ui/chartData'

const minute = (count: number, value?: number) =>
  Array.from({ length: count }, (_, place) => ({ time: place * 60, ...(value === undefined ? {} : { cpu: value }) }))

test('what was not measured is a gap', () => {
  expect(aligned([{ time: 0, cpu: 1 }, { time: 60 }, { time: 120, cpu: 0 }], ['cpu'])).toEqual([
    [0, 60, 120],
    [1, null, 0],
  ])
})

test('a hole in time is a gap', () => {
  const points = [...minute(4, 1), { time: 900, cpu: 2 }]
  expect(aligned(points, ['cpu'])).toEqual([
    [0, 60, 120, 180, 240, 900],
    [1, 1, 1, 1, null, 2],
  ])
})

test('live points follow the last measured one', () => {
  const history = [...minute(3, 1), { time: 180 }, { time: 240 }]
  const live = [
    { time: 100, cpu: 9 },
    { time: 130, cpu: 2 },
  ]
  expect(joined(history, live)).toEqual([...minute(3, 1), { time: 130, cpu: 2 }])
  expect(joined(history, [])).toEqual(history)
  expect(joined([{ time: 0 }, { time: 60 }], [{ time: 70, cpu: 1 }])).toEqual([
    { time: 0 },
    { time: 60 },
    { time: 70, cpu: 1 },
  ])
})

test('a line is summed up', () => {
  expect(
    summary(
      [
        { time: 0, cpu: 1 },
        { time: 1, cpu: 3 },
      ],
      'cpu',
    ),
  ).toEqual({ least: 1, most: 3, mean: 2, last: 3 })
  expect(summary(minute(3), 'cpu')).toBeNull()
})

test('tables get few rows, the newest first', () => {
  expect(thinned(minute(10), 5).map(({ time }) => time)).toEqual([540, 420, 300, 180, 60])
})
