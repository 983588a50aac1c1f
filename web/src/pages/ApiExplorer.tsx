/** Every operation of the API: to read what it does, and to run it with the form that its schema gives. */
import { Box, Flex, Group, Loader, NavLink, ScrollArea, Stack, Text, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useDeferredValue, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useDescribe, useSchemas } from '@/forms/schema'
import { Method, OperationView } from '@/pages/explorer/OperationView'
import { type Branch, countOf, treeOf } from '@/pages/explorer/tree'
import { Page } from '@/ui/Page'

export default function ApiExplorer() {
  const { t } = useTranslation('forms')
  const { op } = useSearch({ strict: false }) as { op?: string }
  const navigate = useNavigate()
  const schemas = useSchemas()
  const describe = useDescribe()
  const [filter, setFilter] = useState('')
  const wanted = useDeferredValue(filter)
  const tree = useMemo(() => (schemas ? treeOf(schemas, wanted, describe) : null), [schemas, wanted, describe])
  const chosen = op ? schemas?.get(op) : undefined
  const choose = (name: string) => void navigate({ to: '/api-explorer', search: { op: name } })

  return (
    <Page title={t('explorer.title')} flush>
      <Flex h="100%" direction={{ base: 'column', sm: 'row' }}>
        <Stack
          gap="xs"
          p="md"
          w={{ base: '100%', sm: 340 }}
          h={{ base: chosen ? 240 : '100%', sm: '100%' }}
          style={{ flex: 'none', borderRight: '1px solid var(--corral-border)' }}
        >
          <TextInput
            aria-label={t('explorer.filter')}
            placeholder={t('explorer.filter')}
            leftSection={<IconSearch size={16} />}
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value)}
          />
          <ScrollArea flex={1} type="auto" viewportProps={{ tabIndex: 0, 'aria-label': t('explorer.operations') }}>
            {tree === null && <Loader size="sm" />}
            {tree && countOf(tree) === 0 && <Text size="sm">{t('explorer.none')}</Text>}
            <Box component="nav" aria-label={t('explorer.operations')}>
              {tree?.children.map((branch) => (
                <BranchView key={branch.path} branch={branch} chosen={op} choose={choose} open={wanted !== ''} />
              ))}
            </Box>
          </ScrollArea>
        </Stack>
        <ScrollArea flex={1} type="auto" viewportProps={{ tabIndex: 0, 'aria-label': t('explorer.title') }}>
          <Box p="md" maw={900}>
            {chosen ? <OperationView schema={chosen} /> : <Text c="dimmed">{t('explorer.choose')}</Text>}
          </Box>
        </ScrollArea>
      </Flex>
    </Page>
  )
}

function BranchView(props: {
  branch: Branch
  chosen: string | undefined
  choose: (name: string) => void
  open: boolean
}) {
  const { branch, chosen, choose } = props
  const leads = chosen !== undefined && `${chosen.split(' ')[1]}/`.startsWith(`${branch.path}/`)
  const [toggled, setToggled] = useState<boolean | null>(null)
  const opened = toggled ?? (props.open || leads)
  return (
    <NavLink
      component="button"
      label={<span className="mono">{branch.segment}</span>}
      rightSection={
        <Text span size="xs" c="dimmed">
          {countOf(branch)}
        </Text>
      }
      disableRightSectionRotation
      opened={opened}
      onChange={setToggled}
      aria-expanded={opened}
      childrenOffset={14}
      py={4}
    >
      {opened &&
        branch.operations.map((each) => (
          <NavLink
            key={each.name}
            component="button"
            py={4}
            active={each.name === chosen}
            aria-current={each.name === chosen ? 'page' : undefined}
            onClick={() => choose(each.name)}
            label={
              <Group gap="xs" wrap="nowrap">
                <Method method={each.method} />
                <Summary text={each.text} />
              </Group>
            }
          />
        ))}
      {opened && branch.children.map((child) => <BranchView key={child.path} {...props} branch={child} />)}
    </NavLink>
  )
}

function Summary({ text }: { text: string }) {
  const describe = useDescribe()
  return (
    <Text span size="sm" truncate>
      {describe(text).split('\n')[0]?.replaceAll('`', '')}
    </Text>
  )
}
