import { Button, Group, Progress, Stack, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { isOpen, type Upload } from '@/pages/storage/upload/queue'
import { remaining } from '@/pages/storage/upload/speed'
import { bytes, duration, percent } from '@/ui/format'

/** How far a file has come, how fast, how long yet. */
export function UploadProgress({ upload, onCancel }: { upload: Upload; onCancel?: () => void }) {
  const { t } = useTranslation('storage')
  const { file, sent, state } = upload
  const part = file.size > 0 ? sent / file.size : 1
  return (
    <Stack gap={6}>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Text size="sm" fw={500} c="var(--mantine-color-text)" style={{ overflowWrap: 'anywhere' }}>
          {upload.filename}
        </Text>
        {onCancel && (state === 'queued' || state === 'sending') && (
          <Button size="compact-sm" variant="default" onClick={onCancel}>
            {t('cancelUpload')}
          </Button>
        )}
      </Group>
      {isOpen(upload) && (
        <Progress
          value={part * 100}
          striped={state === 'placing'}
          animated={state === 'placing'}
          aria-label={upload.filename}
        />
      )}
      <Text
        size="xs"
        c={state === 'failed' ? 'var(--corral-bad)' : 'dimmed'}
        className="numeric"
        style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}
      >
        <Figures upload={upload} part={part} />
      </Text>
    </Stack>
  )
}

function Figures({ upload, part }: { upload: Upload; part: number }) {
  const { t } = useTranslation('storage')
  const { file, sent, speed, state, error } = upload
  if (state === 'failed') return t('uploadFailed', { error: error === 'network' ? t('networkLost') : (error ?? '') })
  if (state !== 'sending') return t(`uploadState.${state}`)
  const rest = remaining(file.size, sent, speed)
  return [
    `${percent(part)} · ${bytes(sent)} / ${bytes(file.size)}`,
    speed > 0 && t('perSecond', { speed: bytes(speed) }),
    rest !== undefined && t('remaining', { time: duration(rest) }),
  ]
    .filter(Boolean)
    .join(' · ')
}
