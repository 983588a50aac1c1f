/** The hue of a tag: from its name alone, so that nobody has to choose and all see the same. */
export function hueOf(tag: string): number {
  let hash = 2166136261
  for (let at = 0; at < tag.length; at += 1) hash = Math.imul(hash ^ tag.charCodeAt(at), 16777619)
  // Steps of 15 degrees: neighbours can be told apart.
  return ((hash >>> 8) % 24) * 15
}
