/** The way to a new virtual machine. Open while the page's address says `create=vm`; what was entered outlives it. */
import { Alert, Button, Group, Modal, Switch, Tabs, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconAlertCircle } from '@tabler/icons-react'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError, type Planned } from '@/api/client'
import styles from '@/pages/guests/create/CreateVm.module.css'
import { change, discard, draft as drafts, EMPTY, isLocked, useDraft, withSource } from '@/pages/guests/create/draft'
import { errors, useErrors } from '@/pages/guests/create/errors'
import { type StepName, stepOf } from '@/pages/guests/create/params'
import { isTaken, submit } from '@/pages/guests/create/pipeline'
import { CloudStep } from '@/pages/guests/create/steps/CloudStep'
import { GeneralStep } from '@/pages/guests/create/steps/GeneralStep'
import { NetworkStep } from '@/pages/guests/create/steps/NetworkStep'
import { ReviewStep } from '@/pages/guests/create/steps/ReviewStep'
import { SizeStep } from '@/pages/guests/create/steps/SizeStep'
import { SourceStep } from '@/pages/guests/create/steps/SourceStep'
import { stepText } from '@/pages/guests/create/summary'
import { type Choices, useChoices } from '@/pages/guests/create/useChoices'
import { showUpload } from '@/pages/storage/upload/UploadToast'
import { explain } from '@/ui/act'

const STEPS: readonly StepName[] = ['source', 'general', 'size', 'network', 'cloud', 'review']

export default function CreateVm() {
  const search = useSearch({ strict: false }) as Record<string, unknown>
  const navigate = useNavigate()
  if (search.create !== 'vm') return null
  const close = () => {
    leaveUpload()
    void navigate({ to: '.', search: ({ create: _, from: __, node: ___, ...rest }: Record<string, unknown>) => rest })
  }
  return <Wizard onClose={close} from={String(search.from ?? '')} on={String(search.node ?? '')} />
}

/** An upload that was begun here goes on where it can be seen. */
function leaveUpload(): void {
  const { source } = drafts.get()
  if (source.kind === 'upload') showUpload(source.upload)
}

/** `from`: a volume that the address names as the source. */
function useGiven(from: string, node: string, choices: Choices): void {
  const volume = choices.images.find(({ volid }) => volid === from)
  const { taken } = choices
  useEffect(() => {
    if (node) change({ node })
  }, [node])
  const given = useRef(false)
  useEffect(() => {
    if (!volume || given.current) return
    given.current = true // once: the user may choose another one
    const { volid, content } = volume
    const filename = volid.slice(volid.lastIndexOf('/') + 1)
    drafts.set(withSource(drafts.get(), { kind: 'volume', volid, content: content as 'iso', filename }, taken))
  }, [volume, taken])
}

function useSubmit(choices: Choices, onClose: () => void, setStep: (step: StepName) => void) {
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const [warned, setWarned] = useState(false)
  async function create(planned: Planned | null): Promise<void> {
    if (isLocked(drafts.get()) && !warned) {
      // Said once, where it can be mended; who wants it so says it again.
      setWarned(true)
      setStep('cloud')
      return
    }
    setBusy(true)
    setError(null)
    errors.set({})
    try {
      await submit(drafts.get(), choices.facts, planned?.token)
      onClose()
    } catch (caught) {
      setError(caught)
      if (!(caught instanceof ApiError)) return
      const found = isTaken(caught) ? { vmid: caught.message, ...caught.errors } : caught.errors
      errors.set(found)
      const first = Object.keys(found)[0]
      if (first) setStep(stepOf(first))
    } finally {
      setBusy(false)
    }
  }
  return { create, error, busy }
}

function Wizard({ onClose, from, on }: { onClose: () => void; from: string; on: string }) {
  const { t } = useTranslation('wizard')
  const choices = useChoices()
  const small = useMediaQuery('(max-width: 48em)') ?? false
  const [step, setStep] = useState<StepName>('source')
  const [advanced, setAdvanced] = useState(false)
  const [planned, setPlanned] = useState<Planned | null>(null)
  const keepPlan = useCallback((answer: Planned | null) => setPlanned(answer), [])
  const { create, error, busy } = useSubmit(choices, onClose, setStep)
  useGiven(from, on, choices)
  const view: Record<StepName, () => React.ReactNode> = {
    source: () => <SourceStep choices={choices} />,
    general: () => <GeneralStep choices={choices} advanced={advanced} />,
    size: () => <SizeStep choices={choices} advanced={advanced} />,
    network: () => <NetworkStep choices={choices} advanced={advanced} />,
    cloud: () => <CloudStep />,
    review: () => <ReviewStep choices={choices} onPlan={keepPlan} />,
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('title')}
      size="60rem"
      fullScreen={small}
      padding={0}
      closeButtonProps={{ 'aria-label': t('close'), mr: 'sm' }}
      styles={{ header: { paddingInlineStart: 'var(--mantine-spacing-md)' } }}
      closeOnClickOutside={false}
    >
      <div className={small ? `${styles.body} ${styles.full}` : styles.body}>
        <Tabs
          value={step}
          onChange={(value) => setStep(value as StepName)}
          orientation={small ? 'horizontal' : 'vertical'}
          keepMounted={false}
          className={styles.tabs}
        >
          <Steps choices={choices} short={small} />
          {STEPS.map((name) => (
            <Tabs.Panel key={name} value={name} className={styles.panel}>
              {error !== null && (
                <Alert color="red" title={t('refused')} mb="md" style={{ whiteSpace: 'pre-wrap' }}>
                  {explain(error)}
                </Alert>
              )}
              {view[name]()}
            </Tabs.Panel>
          ))}
        </Tabs>
        <Footer
          step={step}
          setStep={setStep}
          advanced={advanced}
          setAdvanced={setAdvanced}
          busy={busy}
          create={() => void create(planned)}
        />
      </div>
    </Modal>
  )
}

function Steps({ choices, short }: { choices: Choices; short: boolean }) {
  const { t } = useTranslation('wizard')
  const draft = useDraft()
  const wrong = new Set(Object.keys(useErrors()).map(stepOf))
  return (
    <Tabs.List className={styles.list}>
      {STEPS.map((name) => (
        <Tabs.Tab
          key={name}
          value={name}
          className={styles.step}
          classNames={{ tabLabel: styles.label }}
          rightSection={
            wrong.has(name) ? <IconAlertCircle size={16} color="var(--corral-bad)" aria-label={t('wrongHere')} /> : null
          }
        >
          {t(`steps.${name}`)}
          {!short && (
            <Text size="xs" c="dimmed" truncate maw="12rem">
              {stepText(name, draft, choices, t)}
            </Text>
          )}
        </Tabs.Tab>
      ))}
    </Tabs.List>
  )
}

interface FooterProps {
  step: StepName
  setStep: (step: StepName) => void
  advanced: boolean
  setAdvanced: (on: boolean) => void
  busy: boolean
  create: () => void
}

function Footer({ step, setStep, advanced, setAdvanced, busy, create }: FooterProps) {
  const { t } = useTranslation('wizard')
  const draft = useDraft()
  const next = STEPS[STEPS.indexOf(step) + 1]
  const chosen = draft.source.kind !== 'none'
  const forget = () => {
    leaveUpload()
    errors.set({})
    discard()
  }
  return (
    <Group className={styles.footer} justify="space-between" gap="xs">
      <Group gap="md">
        <Switch
          label={t('advanced')}
          checked={advanced}
          onChange={(event) => setAdvanced(event.currentTarget.checked)}
        />
        {draft !== EMPTY && (
          <Button variant="subtle" size="compact-sm" color="gray" onClick={forget}>
            {t('discard')}
          </Button>
        )}
      </Group>
      <Group gap="xs" className={styles.deeds}>
        {next && (
          <Button variant="default" onClick={() => setStep(next)}>
            {t('next')}
          </Button>
        )}
        <Button onClick={create} disabled={!chosen} loading={busy} title={chosen ? undefined : t('chooseFirst')}>
          {t('create')}
        </Button>
      </Group>
    </Group>
  )
}
