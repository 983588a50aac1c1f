/** The kind of system, and what of the machine depends on it. */
import { Alert, Checkbox, Select, SimpleGrid, Stack } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { change, type Draft, draft as drafts, useDraft } from '@/pages/guests/create/draft'
import { useErrors } from '@/pages/guests/create/errors'
import { isWindows, type OsType } from '@/pages/guests/create/guess'
import type { Choices } from '@/pages/guests/create/useChoices'

export function SystemFields({ choices, advanced }: { choices: Choices; advanced: boolean }) {
  const { t } = useTranslation('wizard')
  const draft = useDraft()
  const errors = useErrors()
  const setOs = (os: OsType) =>
    change({
      os,
      firmware: os === 'win11' ? 'ovmf' : '',
      machine: os === 'win11' ? 'q35' : '',
      tpm: os === 'win11',
      model: isWindows(os) && !drafts.get().drivers ? 'e1000e' : 'virtio',
    })
  const systems: OsType[] = ['l26', 'win11', 'win10', 'win8', 'other']
  return (
    <Stack>
      <Select
        label={t('os')}
        description={t('osHint')}
        data={systems.map((value) => ({ value, label: t(`systems.${value}`) }))}
        value={draft.os}
        error={errors.ostype}
        allowDeselect={false}
        onChange={(value) => setOs(value as OsType)}
      />
      {isWindows(draft.os) && <Windows choices={choices} />}
      {advanced && <Machine node={choices.node} />}
    </Stack>
  )
}

function Windows({ choices }: { choices: Choices }) {
  const { t } = useTranslation('wizard')
  const draft = useDraft()
  const drivers = choices.images.filter(({ content }) => content === 'iso').map(({ volid }) => volid)
  return (
    <>
      <Alert color="blue">{draft.drivers ? t('windowsDrivers') : t('windowsPlain')}</Alert>
      <Select
        label={t('drivers')}
        description={t('driversHint')}
        data={drivers}
        value={draft.drivers || null}
        placeholder={t('noDrivers')}
        clearable
        searchable
        clearButtonProps={{ 'aria-label': t('noDrivers') }}
        onChange={(value) => change({ drivers: value ?? '', model: value ? 'virtio' : 'e1000e' })}
      />
    </>
  )
}

function Machine({ node }: { node: string }) {
  const { t } = useTranslation('wizard')
  const draft = useDraft()
  const errors = useErrors()
  const { data } = useApi('GET /nodes/{node}/capabilities/qemu/cpu', { node })
  const models = [...new Set((data ?? []).map(({ name }) => name))].sort()
  const pick = <K extends 'firmware' | 'machine' | 'cpu' | 'cache'>(key: K) => ({
    value: draft[key],
    allowDeselect: false,
    onChange: (value: string | null) => change({ [key]: value ?? '' } as Partial<Draft>),
  })
  const standard = { value: '', label: t('standard') }
  return (
    <>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <Select
          label={t('firmware')}
          data={[standard, { value: 'seabios', label: 'SeaBIOS' }, { value: 'ovmf', label: 'OVMF (UEFI)' }]}
          error={errors.bios ?? errors.efidisk0}
          {...pick('firmware')}
        />
        <Select
          label={t('machine')}
          data={[standard, 'q35', { value: 'pc', label: 'i440fx' }]}
          error={errors.machine}
          {...pick('machine')}
        />
        <Select label={t('cpuModel')} data={[standard, ...models]} searchable error={errors.cpu} {...pick('cpu')} />
        <Select label={t('cache')} data={[standard, 'none', 'writeback', 'writethrough']} {...pick('cache')} />
      </SimpleGrid>
      <Checkbox
        label={t('tpm')}
        checked={draft.tpm}
        onChange={(event) => change({ tpm: event.currentTarget.checked })}
      />
      <Checkbox
        label={t('balloon')}
        checked={draft.balloon}
        onChange={(event) => change({ balloon: event.currentTarget.checked })}
      />
      <Checkbox
        label={t('agent')}
        checked={draft.agent}
        onChange={(event) => change({ agent: event.currentTarget.checked })}
      />
    </>
  )
}
