import { ActionIcon, Button, Group, Modal, Select, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { IconPencil, IconPlus, IconTrash, IconUserMinus, IconUsers } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Operation } from '@/api/client'
import { type UserGroup, useGroups, useUsers, words } from '@/pages/access/data'
import { useMayOn } from '@/pages/access/rights'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { type Column, DataTable, type RowAction } from '@/ui/DataTable'
import { useDialog } from '@/ui/useDialog'

const NONE: readonly UserGroup[] = []

export default function GroupsTab() {
  const { t } = useTranslation(['access', 'common'])
  const groups = useGroups()
  const may = useMayOn()
  const edit = useDialog<UserGroup | null>()
  const members = useDialog<string>()
  const remove = useDialog<UserGroup>()
  const columns = useMemo<Column<UserGroup>[]>(
    () => [
      {
        id: 'groupid',
        header: t('group.id'),
        value: (row) => row.groupid,
        width: 180,
        required: true,
        mobile: 'title',
      },
      {
        id: 'members',
        header: t('group.members'),
        value: (row) => words(row.users),
        width: 320,
        mobile: 'meta',
      },
      { id: 'comment', header: t('group.comment'), value: (row) => row.comment, width: 220 },
    ],
    [t],
  )
  const allocate = may('/access/groups', 'Group.Allocate')
  const refused = allocate ? undefined : t('noRight', { privilege: 'Group.Allocate' })
  const actions = (row: UserGroup): readonly RowAction[] => [
    {
      id: 'members',
      label: t('group.members'),
      icon: <IconUsers size={16} />,
      onClick: () => members.open(row.groupid),
    },
    {
      id: 'edit',
      label: t('common:edit'),
      icon: <IconPencil size={16} />,
      disabled: refused,
      onClick: () => edit.open(row),
    },
    {
      id: 'remove',
      label: t('common:remove'),
      icon: <IconTrash size={16} />,
      danger: true,
      divider: true,
      disabled: refused,
      onClick: () => remove.open(row),
    },
  ]
  const add = allocate && (
    <Button size="xs" ml="auto" leftSection={<IconPlus size={16} />} onClick={() => edit.open(null)}>
      {t('group.add')}
    </Button>
  )
  return (
    <>
      <DataTable
        id="groups"
        label={t('group.list')}
        columns={columns}
        rows={groups.data ?? NONE}
        rowKey={(row) => row.groupid}
        rowName={(row) => row.groupid}
        loading={groups.isPending}
        error={groups.error}
        onRetry={() => void groups.refetch()}
        onOpen={(row) => members.open(row.groupid)}
        actions={actions}
        toolbar={add}
        empty={{ title: t('group.emptyTitle'), description: t('group.emptyText'), action: add }}
      />
      {edit.value !== undefined && (
        <GroupDialog key={`e${edit.key}`} group={edit.value} opened={edit.opened} onClose={edit.close} />
      )}
      {members.value && <MembersDialog group={members.value} opened={members.opened} onClose={members.close} />}
      {remove.value && (
        <ChangeDialog
          opened={remove.opened}
          onClose={remove.close}
          title={t('group.removeTitle', { group: remove.value.groupid })}
          operation="DELETE /access/groups/{groupid}"
          params={() => ({ groupid: remove.value?.groupid ?? '' })}
          submit={t('common:remove')}
          danger
        >
          <Text>{t('group.removeText')}</Text>
        </ChangeDialog>
      )}
    </>
  )
}

interface About<T> {
  group: T
  opened: boolean
  onClose: () => void
}

function GroupDialog({ group, opened, onClose }: About<UserGroup | null>) {
  const { t } = useTranslation(['access', 'common'])
  const [name, setName] = useState('')
  const [comment, setComment] = useState(group?.comment ?? '')
  const [errors, setErrors] = useState<Record<string, string>>({})
  const commentField = (
    <Textarea
      label={t('group.comment')}
      value={comment}
      onChange={(event) => setComment(event.currentTarget.value)}
      error={errors.comment}
      autosize
      maxRows={4}
    />
  )
  const shared = { opened, onClose, onErrors: setErrors, shown: ['groupid', 'comment'], size: 'md' }
  if (group)
    return (
      <ChangeDialog<Operation & 'PUT /access/groups/{groupid}'>
        {...shared}
        title={t('group.editTitle', { group: group.groupid })}
        operation="PUT /access/groups/{groupid}"
        params={() => ({ groupid: group.groupid, comment })}
        submit={t('common:save')}
      >
        {commentField}
      </ChangeDialog>
    )
  return (
    <ChangeDialog<Operation & 'POST /access/groups'>
      {...shared}
      title={t('group.add')}
      operation="POST /access/groups"
      params={() => ({ groupid: name, ...(comment && { comment }) })}
      submit={t('common:create')}
    >
      <Stack>
        <TextInput
          label={t('group.id')}
          description={t('group.idHelp')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={errors.groupid}
          required
          data-autofocus
        />
        {commentField}
      </Stack>
    </ChangeDialog>
  )
}

interface Move {
  userid: string
  groups: string[]
  joins: boolean
}

/** Who is in a group. Not a form: each joining and leaving is a change of its own, with its own review. */
function MembersDialog({ group, opened, onClose }: About<string>) {
  const { t } = useTranslation(['access', 'common'])
  const users = useUsers().data ?? []
  const may = useMayOn()
  const move = useDialog<Move>()
  const inside = users.filter((user) => words(user.groups).includes(group))
  const outside = users.filter((user) => !inside.includes(user)).map((user) => user.userid)
  const mayChange = may(`/access/groups/${group}`, 'User.Modify')
  const groupsOf = (userid: string) => words(users.find((user) => user.userid === userid)?.groups)
  const join = (userid: string) => move.open({ userid, groups: [...groupsOf(userid), group], joins: true })
  const leave = (userid: string) =>
    move.open({ userid, groups: groupsOf(userid).filter((each) => each !== group), joins: false })
  return (
    <>
      <Modal
        opened={opened}
        onClose={onClose}
        title={t('group.membersOf', { group })}
        closeButtonProps={{ 'aria-label': t('common:close') }}
      >
        <Stack>
          {mayChange && (
            <Select
              label={t('group.addMember')}
              description={t('group.membersHelp')}
              data={outside}
              value={null}
              onChange={(userid) => userid && join(userid)}
              searchable
              openOnFocus={false}
            />
          )}
          {inside.length === 0 && <Text c="dimmed">{t('group.noMembers')}</Text>}
          {inside.map(({ userid }) => (
            <Group key={userid} justify="space-between" wrap="nowrap">
              <Text style={{ overflowWrap: 'anywhere' }}>{userid}</Text>
              {mayChange && (
                <ActionIcon
                  variant="subtle"
                  color="red"
                  onClick={() => leave(userid)}
                  aria-label={t('group.removeMember', { user: userid, group })}
                >
                  <IconUserMinus size={18} />
                </ActionIcon>
              )}
            </Group>
          ))}
        </Stack>
      </Modal>
      {move.value && (
        <ChangeDialog
          key={move.key}
          opened={move.opened}
          onClose={move.close}
          title={
            move.value.joins
              ? t('group.addMemberTitle', { user: move.value.userid, group })
              : t('group.removeMember', { user: move.value.userid, group })
          }
          operation="PUT /access/users/{userid}"
          params={() => ({ userid: move.value?.userid ?? '', groups: move.value?.groups ?? [] })}
          submit={move.value.joins ? t('common:add') : t('common:remove')}
          danger={!move.value.joins}
          size="md"
        />
      )}
    </>
  )
}
