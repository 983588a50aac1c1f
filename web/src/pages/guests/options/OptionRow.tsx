import { Badge, Button, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import classes from '@/pages/guests/options/Options.module.css'

/** One option: its name, what it is, what it will be after a restart. */
export function OptionRow({
  label,
  name,
  value,
  byDefault,
  next,
  onEdit,
}: {
  label: string
  name: string
  /** The value in words; undefined: not set. */
  value?: string
  byDefault?: string
  /** What it will be, if that is something else; the empty text: not set. */
  next?: string
  onEdit?: () => void
}) {
  const { t } = useTranslation(['options', 'common'])
  return (
    <div className={classes.option}>
      <dt>
        <Text size="sm" fw={500}>
          {label}
        </Text>
        {label !== name && (
          <Text size="xs" c="dimmed" className="mono">
            {name}
          </Text>
        )}
      </dt>
      <dd>
        {value === undefined ? (
          <Text size="sm" c="dimmed">
            {byDefault === undefined ? t('notSet') : t('byDefault', { value: byDefault })}
          </Text>
        ) : (
          <Text size="sm">{value}</Text>
        )}
        {next !== undefined && (
          <Text size="sm">
            <Badge size="sm" variant="light" color="yellow" c="var(--corral-warn)" tt="none" mr={6}>
              {t('atNextStart')}
            </Badge>
            {next || t('notSet')}
          </Text>
        )}
      </dd>
      <dd>
        {onEdit && (
          <Button size="compact-sm" variant="subtle" onClick={onEdit} aria-label={t('editOf', { name: label })}>
            {t('common:edit')}
          </Button>
        )}
      </dd>
    </div>
  )
}
