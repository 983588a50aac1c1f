// Every text in every language: the same keys, none empty, the same {{values}}. `node scripts/catalogues.mjs` prints what
// is wrong and fails; the build does so too.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const locales = join(dirname(fileURLToPath(import.meta.url)), '../src/locales')
const SOURCE = 'en'
// Keyed by English texts, without an English catalogue; the generator checks that one.
const ONE_SIDED = new Set(['schema.json'])

function flatten(tree, prefix = '') {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'object' ? flatten(value, `${prefix}${key}.`) : [[prefix + key, value]],
  )
}

function read(language, file) {
  try {
    return new Map(flatten(JSON.parse(readFileSync(join(locales, language, file), 'utf8'))))
  } catch (error) {
    if (error.code === 'ENOENT') return new Map()
    throw new Error(`${language}/${file}: ${error.message}`)
  }
}

// Chinese has one plural form, English two: `_one` has no counterpart there.
const withoutPlural = (key) => key.replace(/_(one|other)$/, '')
const values = (text) =>
  [...text.matchAll(/\{\{\s*([\w.]+)/g)]
    .map((match) => match[1])
    .sort()
    .join(' ')

/** What is wrong with the catalogues, a line each. */
export function checkCatalogues() {
  const wrong = []
  const languages = readdirSync(locales, { withFileTypes: true }).filter((each) => each.isDirectory())
  for (const { name: language } of languages) {
    if (language === SOURCE) continue
    const files = new Set(
      [...readdirSync(join(locales, SOURCE)), ...readdirSync(join(locales, language))].filter(
        (name) => name.endsWith('.json') && !ONE_SIDED.has(name),
      ),
    )
    for (const file of files) {
      const [source, target] = [read(SOURCE, file), read(language, file)]
      const known = new Map([...source].map(([key, text]) => [withoutPlural(key), text]))
      const there = new Set([...target.keys()].map(withoutPlural))
      for (const key of known.keys()) if (!there.has(key)) wrong.push(`${language}/${file}: '${key}' is missing`)
      for (const [key, text] of target) {
        const original = known.get(withoutPlural(key))
        if (original === undefined) wrong.push(`${language}/${file}: '${key}' is not in ${SOURCE}`)
        else if (text.trim() === '') wrong.push(`${language}/${file}: '${key}' is empty`)
        else if (values(text) !== values(original)) wrong.push(`${language}/${file}: '${key}' has other {{values}}`)
      }
    }
  }
  return wrong
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wrong = checkCatalogues()
  for (const line of wrong) console.error(line)
  process.exit(wrong.length > 0 ? 1 : 0)
}
