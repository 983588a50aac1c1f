/** Addresses as other clients of this API make them, so that bookmarks and scripts go on working. */

interface Found {
  path: string
  search?: Record<string, string>
}

const name = (text: string): string => encodeURIComponent(text)

function ofConsole(query: URLSearchParams): Found | null {
  const kind = query.get('console')
  if (!kind) return null
  const vmid = query.get('vmid')
  if ((kind === 'kvm' || kind === 'lxc') && vmid && /^\d+$/.test(vmid)) {
    const xterm = query.get('xtermjs') === '1'
    return { path: `/guests/${vmid}/console`, search: xterm ? { display: 'serial' } : undefined }
  }
  const node = query.get('node')
  return node ? { path: `/nodes/${name(node)}/shell` } : null
}

/** Decoded; as it stands where it is broken. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** `#v1:0:=qemu%2F100:4:…`: the third field says what is selected. */
function ofHash(hash: string): Found | null {
  const fields = hash.replace(/^#/, '').split(':')
  if (fields[0] !== 'v1') return null
  const id = decoded((fields[2] ?? '').replace(/^=/, ''))
  const [kind = '', first = '', second = ''] = id.split('/').filter((part, at) => part !== '' || at > 0)
  if ((kind === 'qemu' || kind === 'lxc') && /^\d+$/.test(first)) return { path: `/guests/${first}` }
  if (kind === 'node' && first) return { path: `/nodes/${name(first)}` }
  if (kind === 'storage' && first && second) return { path: `/storage/${name(first)}/${name(second)}` }
  if (kind === 'pool' && first) return { path: `/pools/${name(id.replace(/^\/?pool\//, ''))}` }
  return kind === 'root' ? { path: '/datacenter' } : null
}

/** Where such an address leads here; null for every other. */
export function fromForeign(url: Pick<URL, 'pathname' | 'search' | 'hash'>): string | null {
  if (url.pathname !== '/') return null
  const found = ofConsole(new URLSearchParams(url.search)) ?? ofHash(url.hash)
  if (!found) return null
  const search = found.search ? `?${new URLSearchParams(found.search)}` : ''
  return found.path + search
}
