import type { CSSProperties } from 'react'
import classes from './Tags.module.css'
import { hueOf } from './tagHue'

/** A tag in its colour, which is the same everywhere. */
export function Tag({ name }: { name: string }) {
  return (
    <span className={classes.tag} style={{ '--tag-hue': hueOf(name) } as CSSProperties}>
      {name}
    </span>
  )
}

export function Tags({ names }: { names: readonly string[] }) {
  if (names.length === 0) return null
  return (
    <span className={classes.tags} title={names.join(', ')}>
      {names.map((name) => (
        <Tag key={name} name={name} />
      ))}
    </span>
  )
}
