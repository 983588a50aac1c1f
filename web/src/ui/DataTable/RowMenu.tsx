import { Menu, Text } from '@mantine/core'
import { Fragment } from 'react'
import type { RowAction } from './types'

export interface OpenMenu {
  actions: readonly RowAction[]
  name: string
  x: number
  y: number
}

/** One menu for all rows, where the pointer or the row's button is. */
export function RowMenu({ open, onClose }: { open: OpenMenu | null; onClose: () => void }) {
  return (
    <Menu
      opened={open !== null}
      onClose={onClose}
      position="bottom-end"
      offset={2}
      returnFocus={false}
      withinPortal
      shadow="md"
      transitionProps={{ duration: 0 }}
    >
      <Menu.Target>
        <button
          key={`${open?.x} ${open?.y}`} // another one: where it was first is no place to open the menu at
          type="button"
          tabIndex={-1}
          aria-hidden
          style={{
            position: 'fixed',
            left: open?.x ?? 0,
            top: open?.y ?? 0,
            width: 0,
            height: 0,
            padding: 0,
            border: 0,
            visibility: 'hidden',
          }}
        />
      </Menu.Target>
      <Menu.Dropdown aria-label={open?.name}>
        {open?.actions.map(({ id, label, icon, danger, disabled, divider, onClick }) => (
          <Fragment key={id}>
            {divider && <Menu.Divider />}
            <Menu.Item
              leftSection={icon}
              color={danger ? 'var(--corral-bad)' : undefined}
              disabled={disabled !== undefined}
              onClick={onClick}
            >
              {label}
              {disabled && (
                <Text span size="xs" display="block">
                  {disabled}
                </Text>
              )}
            </Menu.Item>
          </Fragment>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
