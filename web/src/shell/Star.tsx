import { ActionIcon, Tooltip } from '@mantine/core'
import { IconStar, IconStarFilled } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { Ref } from '@/shell/refs'
import { toggleFavourite, useFavourites } from '@/shell/remembered'

/** Keeps a thing at the top of the tree. */
export function Star({ of }: { of: Ref }) {
  const { t } = useTranslation('shell')
  const on = useFavourites().includes(of)
  const label = t(on ? 'tree.unstar' : 'tree.star')
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={label}
        aria-pressed={on}
        onClick={() => toggleFavourite(of)}
      >
        {on ? <IconStarFilled size={18} style={{ color: 'var(--corral-warn)' }} /> : <IconStar size={18} />}
      </ActionIcon>
    </Tooltip>
  )
}
