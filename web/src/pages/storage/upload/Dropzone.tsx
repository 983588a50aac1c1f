import { Box } from '@mantine/core'
import { type DragEvent, type ReactNode, useRef, useState } from 'react'

/** Takes files that are dropped on it, and those chosen after `browse` was called. */
export function Dropzone(props: {
  onFiles: (files: File[]) => void
  children: (browse: () => void) => ReactNode
  accept?: string
  multiple?: boolean
  className?: string
  overClassName?: string
}) {
  const input = useRef<HTMLInputElement>(null)
  const [over, setOver] = useState(false)
  function drop(event: DragEvent): void {
    event.preventDefault()
    setOver(false)
    props.onFiles([...event.dataTransfer.files])
  }
  return (
    <Box
      className={[props.className, over && props.overClassName].filter(Boolean).join(' ')}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <input
        ref={input}
        type="file"
        hidden
        accept={props.accept}
        multiple={props.multiple}
        onChange={(event) => {
          props.onFiles([...(event.currentTarget.files ?? [])])
          event.currentTarget.value = ''
        }}
      />
      {props.children(() => input.current?.click())}
    </Box>
  )
}
