import { Stack } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { OperationDialog } from '@/forms/OperationDialog'
import { type FieldSchema, labelOf, useOperation } from '@/forms/schema'
import type { Guest } from '@/live/types'
import { type PendingRow, waiting } from '@/pages/guests/hardware/devices'
import { PendingNotice } from '@/pages/guests/hardware/PendingNotice'
import { useGuestMay } from '@/pages/guests/may'
import { BootOrder } from '@/pages/guests/options/BootOrder'
import { OptionRow } from '@/pages/guests/options/OptionRow'
import classes from '@/pages/guests/options/Options.module.css'
import { grouped } from '@/pages/guests/options/options'
import type { TabProps } from '@/pages/guests/tabs'
import { Answer } from '@/ui/Answer'
import { Section } from '@/ui/Section'
import { useDialog } from '@/ui/useDialog'

const OPERATION = 'PUT /nodes/{node}/qemu/{vmid}/config'

export default function OptionsTab({ guest }: TabProps) {
  const { t } = useTranslation('options')
  const { node, vmid } = guest
  const pending = useApi('GET /nodes/{node}/qemu/{vmid}/pending', { node, vmid })
  const schema = useOperation(OPERATION)
  const may = useGuestMay(vmid)
  const dialog = useDialog<string>()
  return (
    <Answer query={pending} needs="VM.Audit">
      {(answer) => {
        const rows = answer as PendingRow[]
        return (
          <Stack gap="md" maw={900}>
            <PendingNotice guest={guest} rows={rows} may={may} />
            {grouped(schema?.fields ?? []).map(({ group, fields }) => (
              <Section key={group} title={t(`group.${group}`)}>
                <dl className={classes.list}>
                  {fields.map((field) => (
                    <Option
                      key={field.name}
                      field={field}
                      rows={rows}
                      onEdit={may('VM.Config.Options') ? () => dialog.open(field.name) : undefined}
                    />
                  ))}
                </dl>
              </Section>
            ))}
            {dialog.opened && dialog.value && (
              <Edit key={dialog.key} guest={guest} name={dialog.value} onClose={dialog.close} />
            )}
          </Stack>
        )
      }}
    </Answer>
  )
}

function Option({ field, rows, onEdit }: { field: FieldSchema; rows: readonly PendingRow[]; onEdit?: () => void }) {
  const words = useWords(field)
  const row = rows.find(({ key }) => key === field.name)
  const waits = row !== undefined && waiting([row]).length > 0
  return (
    <OptionRow
      label={labelOf(field.name) ?? field.name}
      name={field.name}
      value={words(row?.value)}
      byDefault={field.default === undefined ? undefined : words(field.default)}
      next={waits ? (row.delete ? '' : (words(row.pending) ?? '')) : undefined}
      onEdit={onEdit}
    />
  )
}

/** Values in words: flags as yes and no, property strings with room between their parts. */
function useWords(field: FieldSchema): (value: unknown) => string | undefined {
  const { t } = useTranslation(['options', 'common'])
  return (value) => {
    if (value === undefined || value === null || value === '') return undefined
    if (field.type === 'boolean') return Number(value) === 1 ? t('common:yes') : t('common:no')
    return String(value).replaceAll(',', ', ').replaceAll(';', ', ')
  }
}

function Edit({ guest, name, onClose }: { guest: Guest; name: string; onClose: () => void }) {
  const { t } = useTranslation(['options', 'common'])
  const { node, vmid } = guest
  const config = useApi('GET /nodes/{node}/qemu/{vmid}/config', { node, vmid }).data
  if (!config) return null
  if (name === 'boot') return <BootOrder guest={guest} config={config} onClose={onClose} />
  return (
    <OperationDialog
      opened
      onClose={onClose}
      title={t('editTitle', { name: labelOf(name) ?? name })}
      operation={OPERATION}
      fixed={{ node, vmid }}
      values={config}
      only={[name]}
      submit={t('common:save')}
    />
  )
}
