/**
 * The page's policy lets only style elements with its nonce in. Libraries that make their own (menus, the terminal) don't
 * know it, so each style element gets it here, when it is made. Import this first.
 */
export const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? ''

const create = document.createElement.bind(document)

document.createElement = (name: string, options?: ElementCreationOptions): HTMLElement => {
  const element = create(name, options)
  if (nonce && name.toLowerCase() === 'style') element.nonce = nonce
  return element
}
