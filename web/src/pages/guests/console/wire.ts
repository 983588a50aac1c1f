/** How a terminal's bytes travel: `user:ticket`, then frames of the client; the server sends what the terminal shows. */

const encoder = new TextEncoder()

/** Where a console session's WebSocket is. */
export function socketUrl(path: string, session: { port: number; ticket: string }, base = window.location): string {
  const query = new URLSearchParams({ port: String(session.port), vncticket: session.ticket })
  return `${base.protocol === 'http:' ? 'ws' : 'wss'}://${base.host}/api2/json${path}/vncwebsocket?${query}`
}

export const greeting = (user: string, ticket: string): Uint8Array => encoder.encode(`${user}:${ticket}\n`)

/** Input; the length is that of the bytes. */
export function inputFrame(data: string | Uint8Array): Uint8Array {
  const bytes = typeof data === 'string' ? encoder.encode(data) : data
  const head = encoder.encode(`0:${bytes.length}:`)
  const frame = new Uint8Array(head.length + bytes.length)
  frame.set(head)
  frame.set(bytes, head.length)
  return frame
}

export const sizeFrame = (columns: number, rows: number): Uint8Array => encoder.encode(`1:${columns}:${rows}:`)
export const aliveFrame = (): Uint8Array => encoder.encode('2')

/** Takes the answer to the greeting off what comes: it may be split, or have the first text behind it. */
export class Greeted {
  #missing = 'OK'

  /** The terminal's bytes in a message; null if the session was refused. */
  take(data: Uint8Array): Uint8Array | null {
    let rest = data
    while (this.#missing !== '' && rest.length > 0) {
      if (rest[0] !== this.#missing.charCodeAt(0)) return null
      this.#missing = this.#missing.slice(1)
      rest = rest.subarray(1)
    }
    return rest
  }

  get done(): boolean {
    return this.#missing === ''
  }
}
