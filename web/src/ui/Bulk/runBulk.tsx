/** Many calls under one toast: how far they are, and at the end what did not work. */
import { List, ScrollArea, Text } from '@mantine/core'
import i18next from 'i18next'
import type { Operation, Params } from '@/api/client'
import { act } from '@/ui/act'
import { notify } from '@/ui/notify'
import { type Job, type Outcome, runJobs } from './jobs'

const SHOWN = 50

function Problems({ problems }: { problems: readonly Outcome[] }) {
  return (
    <ScrollArea.Autosize mah={220} type="auto" tabIndex={0}>
      <List size="sm" spacing={4} mt={4}>
        {problems.slice(0, SHOWN).map(({ job, problem }) => (
          <List.Item key={job.key}>
            <Text span size="sm" fw={600}>
              {job.label}
            </Text>
            : {problem || i18next.t('shell:unreachable')}
          </List.Item>
        ))}
        {problems.length > SHOWN && <List.Item>… {problems.length - SHOWN}</List.Item>}
      </List>
    </ScrollArea.Autosize>
  )
}

export async function runBulk(
  title: string,
  jobs: readonly Job[],
  tokens?: ReadonlyMap<string, string>,
): Promise<void> {
  const [only] = jobs
  if (!only) return
  if (jobs.length === 1) {
    await act(`${title}: ${only.label}`, only.operation, only.params as Params<Operation>, {
      apply: tokens?.get(only.key),
    })
    return
  }
  const id = crypto.randomUUID()
  const problems: Outcome[] = []
  let done = 0
  const progress = () => i18next.t('lists:bulkProgress', { done, total: jobs.length })
  notify.show({ id, title, message: progress(), loading: true, autoClose: false })
  await runJobs(
    jobs,
    (outcome) => {
      done += 1
      if (outcome.problem !== null) problems.push(outcome)
      notify.update({ id, title, message: progress(), loading: true, autoClose: false })
    },
    tokens,
  )
  const failed = problems.length > 0
  notify.update({
    id,
    title: failed ? i18next.t('lists:bulkFailed', { title, failed: problems.length, total: jobs.length }) : title,
    message: failed ? <Problems problems={problems} /> : progress(),
    loading: false,
    color: failed ? 'red' : 'green',
    autoClose: failed ? false : 5000,
  })
}
