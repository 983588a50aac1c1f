import {
  Alert,
  Button,
  FileButton,
  Group,
  Radio,
  SegmentedControl,
  SimpleGrid,
  Stack,
  Textarea,
  TextInput,
} from '@mantine/core'
import { IconUpload } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Params } from '@/api/client'
import { useApi } from '@/api/query'
import type { Guest } from '@/live/types'
import {
  decodedKeys,
  encodedKeys,
  type IpConfig,
  ipConfigOf,
  ipConfigText,
  type Way6,
  wrongKeys,
} from '@/pages/guests/cloudinit/cloud'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { Answer } from '@/ui/Answer'
import classes from './CloudInit.module.css'

interface Props {
  guest: Guest
  onClose: () => void
}

export function KeysDialog({ guest, before, onClose }: Props & { before: string }) {
  const { t } = useTranslation(['options', 'common'])
  const [text, setText] = useState(() => decodedKeys(before))
  const { node, vmid } = guest
  const wrong = wrongKeys(text)
  const take = (file: File | null) =>
    void file?.text().then((more) => setText((now) => [now.trim(), more.trim()].filter(Boolean).join('\n')))
  return (
    <ChangeDialog
      opened
      onClose={onClose}
      title={t('ci.sshkeys')}
      operation="PUT /nodes/{node}/qemu/{vmid}/config"
      params={() => {
        if (text.trim() === '') return { node, vmid, delete: 'sshkeys' }
        return { node, vmid, sshkeys: encodedKeys(text) }
      }}
      submit={t('common:save')}
    >
      <Stack gap="sm">
        <Textarea
          label={t('ci.sshkeys')}
          description={t('ci.keysHelp')}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          autosize
          minRows={5}
          maxRows={14}
          classNames={{ input: 'mono' }}
          spellCheck={false}
          data-autofocus
        />
        {wrong.length > 0 && <Alert color="gray">{t('ci.wrongKeys', { line: wrong[0]?.slice(0, 60) ?? '' })}</Alert>}
        <Group>
          <FileButton onChange={take} accept=".pub,text/plain">
            {(props) => (
              <Button {...props} variant="default" size="xs" leftSection={<IconUpload size={14} />}>
                {t('ci.fromFile')}
              </Button>
            )}
          </FileButton>
        </Group>
      </Stack>
    </ChangeDialog>
  )
}

export function AddressDialog({ guest, name, before, onClose }: Props & { name: `ipconfig${number}`; before: string }) {
  const { t } = useTranslation(['options', 'common'])
  const [ip, setIp] = useState<IpConfig>(() => ipConfigOf(before))
  const set = (change: Partial<IpConfig>) => setIp((all) => ({ ...all, ...change }))
  const { node, vmid } = guest
  function params(): Params<'PUT /nodes/{node}/qemu/{vmid}/config'> {
    const text = ipConfigText(ip)
    const change: Partial<Record<`ipconfig${number}`, string>> = { [name]: text }
    return text === '' ? { node, vmid, delete: name } : { node, vmid, ...change }
  }
  return (
    <ChangeDialog
      opened
      onClose={onClose}
      title={t('ci.addressOf', { name: name.replace('ipconfig', 'net') })}
      operation="PUT /nodes/{node}/qemu/{vmid}/config"
      params={params}
      submit={t('common:save')}
    >
      <Stack gap="md">
        <Ways
          label="IPv4"
          ways={['none', 'dhcp', 'static']}
          way={ip.way4}
          onWay={(way4) => set({ way4: way4 as 'dhcp' })}
        >
          {ip.way4 === 'static' && (
            <SimpleGrid cols={{ base: 1, xs: 2 }}>
              <TextInput
                label={t('ci.cidr')}
                placeholder="192.0.2.10/24"
                value={ip.ip4}
                onChange={(event) => set({ ip4: event.currentTarget.value.trim() })}
              />
              <TextInput
                label={t('ci.gateway')}
                placeholder="192.0.2.1"
                value={ip.gw4}
                onChange={(event) => set({ gw4: event.currentTarget.value.trim() })}
              />
            </SimpleGrid>
          )}
        </Ways>
        <Ways label="IPv6" ways={['none', 'auto', 'dhcp', 'static']} way={ip.way6} onWay={(way6) => set({ way6 })}>
          {ip.way6 === 'static' && (
            <SimpleGrid cols={{ base: 1, xs: 2 }}>
              <TextInput
                label={t('ci.cidr')}
                placeholder="2001:db8::10/64"
                value={ip.ip6}
                onChange={(event) => set({ ip6: event.currentTarget.value.trim() })}
              />
              <TextInput
                label={t('ci.gateway')}
                placeholder="2001:db8::1"
                value={ip.gw6}
                onChange={(event) => set({ gw6: event.currentTarget.value.trim() })}
              />
            </SimpleGrid>
          )}
        </Ways>
      </Stack>
    </ChangeDialog>
  )
}

function Ways({
  label,
  ways,
  way,
  onWay,
  children,
}: {
  label: string
  ways: readonly Way6[]
  way: Way6
  onWay: (way: Way6) => void
  children: React.ReactNode
}) {
  const { t } = useTranslation('options')
  return (
    <Stack gap="xs">
      <Radio.Group label={label} value={way} onChange={(value) => onWay(value as Way6)}>
        <Group gap="md" mt={6}>
          {ways.map((each) => (
            <Radio key={each} value={each} label={t(`ci.way.${each}`)} />
          ))}
        </Group>
      </Radio.Group>
      {children}
    </Stack>
  )
}

/** What the guest will read from its drive. */
export function Generated({ guest }: { guest: Guest }) {
  const { t } = useTranslation('options')
  const [type, setType] = useState<'user' | 'network' | 'meta'>('user')
  const { node, vmid } = guest
  const dump = useApi('GET /nodes/{node}/qemu/{vmid}/cloudinit/dump', { node, vmid, type })
  return (
    <Stack gap="xs">
      <SegmentedControl
        size="xs"
        w="fit-content"
        aria-label={t('ci.file')}
        value={type}
        onChange={(value) => setType(value as 'user')}
        data={(['user', 'network', 'meta'] as const).map((value) => ({ value, label: t(`ci.files.${value}`) }))}
      />
      <Answer query={dump}>
        {(text) => (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
          <section className={classes.dump} tabIndex={0} aria-label={t(`ci.files.${type}`)}>
            {text}
          </section>
        )}
      </Answer>
    </Stack>
  )
}
