/** How the guest reaches others. */
import { Alert, Button, Checkbox, Group, NumberInput, Select, SimpleGrid, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconNetwork } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { refresh } from '@/api/query'
import { useMay } from '@/api/session'
import { whenEnded } from '@/live/tasks'
import { change, type Draft, useDraft } from '@/pages/guests/create/draft'
import { useErrors } from '@/pages/guests/create/errors'
import type { Choices } from '@/pages/guests/create/useChoices'
import { ChangeDialog } from '@/plan/ChangeDialog'

const USER = '-'

export function NetworkStep({ choices, advanced }: { choices: Choices; advanced: boolean }) {
  const { t } = useTranslation('wizard')
  const draft = useDraft()
  const errors = useErrors()
  const bridge = draft.bridge ?? choices.facts.bridge
  return (
    <Stack>
      <Select
        label={t('bridge')}
        description={bridge ? t('bridgeHint') : t('userModeHint')}
        data={[...choices.bridges, { value: USER, label: t('userMode') }]}
        value={bridge || USER}
        error={errors.net0}
        allowDeselect={false}
        onChange={(value) => change({ bridge: value === USER ? '' : (value ?? undefined) })}
      />
      {choices.bridgesRead && choices.bridges.length === 0 && <NatOffer node={choices.node} />}
      {advanced && <Card bridged={bridge !== ''} />}
    </Stack>
  )
}

function Card({ bridged }: { bridged: boolean }) {
  const { t } = useTranslation('wizard')
  const draft = useDraft()
  return (
    <>
      <SimpleGrid cols={{ base: 1, xs: 3 }}>
        <Select
          label={t('model')}
          data={['virtio', 'e1000', 'e1000e', 'rtl8139', 'vmxnet3']}
          value={draft.model}
          allowDeselect={false}
          onChange={(model) => change({ model: model as Draft['model'] })}
        />
        <NumberInput
          label={t('vlan')}
          placeholder={t('noVlan')}
          min={1}
          max={4094}
          allowDecimal={false}
          disabled={!bridged}
          value={draft.vlan}
          onChange={(value) => change({ vlan: value === '' ? '' : Number(value) })}
        />
        <TextInput
          label={t('mac')}
          placeholder={t('automatic')}
          value={draft.mac}
          onChange={(event) => change({ mac: event.currentTarget.value })}
        />
      </SimpleGrid>
      <Checkbox
        label={t('firewall')}
        disabled={!bridged}
        checked={draft.firewall}
        onChange={(event) => change({ firewall: event.currentTarget.checked })}
      />
    </>
  )
}

/** A node without a bridge can have one that needs nothing of the network around it. */
function NatOffer({ node }: { node: string }) {
  const { t } = useTranslation('wizard')
  const [opened, { open, close }] = useDisclosure()
  const may = useMay('nodes', 'Sys.Modify')
  const made = async (upid: string) => {
    const status = await whenEnded(upid)
    if (status === 'OK' || status.startsWith('WARNINGS')) change({ bridge: undefined })
    await refresh('GET /nodes/{node}/network')
  }
  return (
    <Alert color="blue" icon={<IconNetwork aria-hidden />} title={t('noBridge')}>
      <Stack gap="xs">
        <Text size="sm">{t('noBridgeHint')}</Text>
        {may && (
          <Group>
            <Button size="xs" variant="default" onClick={open}>
              {t('makeNat')}
            </Button>
          </Group>
        )}
      </Stack>
      <ChangeDialog
        opened={opened}
        onClose={close}
        title={t('makeNat')}
        operation="POST /nodes/{node}/nat"
        params={() => ({ node })}
        submit={t('makeNatSubmit')}
        onDone={(upid) => void made(upid)}
      >
        <Text size="sm">{t('natExplained')}</Text>
      </ChangeDialog>
    </Alert>
  )
}
