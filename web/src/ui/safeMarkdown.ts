/** Markdown to HTML that can be shown. Loaded when the first text is to be shown. */
import DOMPurify from 'dompurify'
import { Marked } from 'marked'

const marked = new Marked({ gfm: true, breaks: true, async: false })
const purify = DOMPurify(window)

// Titles of the page come first: those of a note begin below them.
const DEEPER: Record<string, string> = { H1: 'h3', H2: 'h4', H3: 'h5', H4: 'h6', H5: 'h6' }

function deeper(heading: Element): void {
  const name = DEEPER[heading.tagName]
  if (!name) return
  const other = document.createElement(name)
  other.append(...heading.childNodes)
  heading.replaceWith(other)
}

purify.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName !== 'A' || !node.hasAttribute('href')) return
  node.setAttribute('target', '_blank')
  node.setAttribute('rel', 'noopener noreferrer')
})

export function rendered(text: string): string {
  const fragment = purify.sanitize(marked.parse(text) as string, {
    USE_PROFILES: { html: true },
    FORBID_TAGS: ['style', 'form', 'input', 'button', 'select', 'textarea', 'iframe'],
    FORBID_ATTR: ['style', 'class', 'id', 'name', 'srcset'],
    RETURN_DOM_FRAGMENT: true,
  })
  for (const heading of fragment.querySelectorAll('h1,h2,h3,h4,h5')) deeper(heading)
  const box = document.createElement('div')
  box.append(fragment)
  return box.innerHTML
}
