import { ActionIcon, type ActionIconProps, Tooltip } from '@mantine/core'
import type { MouseEvent, ReactNode, Ref } from 'react'

/** A tool of a console's bar: its name is told by a tooltip and to screen readers. */
export function ToolButton({
  label,
  pressed,
  onClick,
  children,
  ref,
  ...rest
}: {
  label: string
  pressed?: boolean
  onClick?: (event: MouseEvent) => void
  children: ReactNode
  ref?: Ref<HTMLButtonElement>
} & ActionIconProps) {
  return (
    <Tooltip label={label} withinPortal={false} openDelay={400}>
      <ActionIcon
        ref={ref}
        variant={pressed ? 'filled' : 'default'}
        size={36}
        aria-label={label}
        aria-pressed={pressed}
        onClick={onClick}
        {...rest}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  )
}
