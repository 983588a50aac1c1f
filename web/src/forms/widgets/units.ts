/** Units of numbers, which the API knows by name only. */
const UNITS: readonly [RegExp, string][] = [
  [/^(memory|balloon|current|maxmem)$/, 'MiB'],
  [/^mbps/, 'MiB/s'],
  [/^bps(_rd|_wr)?$/, 'B/s'],
  [/^iops(_rd|_wr)?(_max)?$/, 'IO/s'],
  [/_max_length$/, 's'],
  [/^(timeout|delay|migrate_downtime|startall-onboot-delay)$/, 's'],
  [/^(rate|migrate_speed)$/, 'MB/s'],
  [/^(clone|default|migration|move|restore)$/, 'KiB/s'],
  [/^period$/, 'ms'],
  [/^(width|height)$/, 'px'],
  [/^ballooning-target$/, '%'],
]

export const unitOf = (name: string): string | undefined => UNITS.find(([pattern]) => pattern.test(name))?.[1]
