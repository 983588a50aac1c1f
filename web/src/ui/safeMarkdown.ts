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

// What texts are made of, and nothing that acts, lies over the page or plays.
const TAGS = (
  'h1 h2 h3 h4 h5 h6 p div span center br hr a img b strong i em u s del ins mark small sub sup kbd code pre samp var ' +
  'abbr blockquote q cite ul ol li dl dt dd table caption thead tbody tfoot tr th td details summary'
).split(' ')
const ATTRIBUTES = ['href', 'title', 'src', 'alt', 'width', 'height', 'align', 'start', 'colspan', 'rowspan', 'open']

export function rendered(text: string): string {
  const fragment = purify.sanitize(marked.parse(text) as string, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_ARIA_ATTR: false,
    ALLOW_DATA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  })
  for (const heading of fragment.querySelectorAll('h1,h2,h3,h4,h5')) deeper(heading)
  const box = document.createElement('div')
  box.append(fragment)
  return box.innerHTML
}
