import { Alert, Modal, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Operation } from '@/api/client'
import { useRoles, words } from '@/pages/access/data'
import { PrivilegeList } from '@/pages/access/PrivilegeList'
import type { RoleWish } from '@/pages/access/RolesTab'
import { useMayOn } from '@/pages/access/rights'
import { ChangeDialog } from '@/plan/ChangeDialog'

/** A role's privileges, to look at or to choose. */
export function RoleDialog({ wish, opened, onClose }: { wish: RoleWish; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation(['access', 'common'])
  const { role, copyOf } = wish
  const allowed = useMayOn()('/access', 'Sys.Modify')
  const known = useKnownPrivileges()
  const [name, setName] = useState(copyOf ? t('role.copyOf', { role: copyOf.roleid }) : '')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(() => new Set(words((role ?? copyOf)?.privs)))
  const [errors, setErrors] = useState<Record<string, string>>({})
  const list = <PrivilegeList all={known} chosen={chosen} onChange={setChosen} error={errors.privs} />

  if (role && (role.special === 1 || !allowed))
    return (
      <Modal
        opened={opened}
        onClose={onClose}
        title={t('role.showTitle', { role: role.roleid })}
        size="xl"
        closeButtonProps={{ 'aria-label': t('common:close') }}
      >
        <Stack>
          {role.special === 1 && <Alert>{t('role.readOnly')}</Alert>}
          <PrivilegeList all={known} chosen={chosen} />
        </Stack>
      </Modal>
    )
  const shared = { opened, onClose, onErrors: setErrors, shown: ['roleid', 'privs'], size: 'xl' }
  const privs = () => [...chosen].sort()
  if (role)
    return (
      <ChangeDialog<Operation & 'PUT /access/roles/{roleid}'>
        {...shared}
        title={t('role.editTitle', { role: role.roleid })}
        operation="PUT /access/roles/{roleid}"
        params={() => ({ roleid: role.roleid, privs: privs() })}
        submit={t('common:save')}
      >
        {list}
      </ChangeDialog>
    )
  return (
    <ChangeDialog<Operation & 'POST /access/roles'>
      {...shared}
      title={t('role.newTitle')}
      operation="POST /access/roles"
      params={() => ({ roleid: name, ...(chosen.size > 0 && { privs: privs() }) })}
      submit={t('common:create')}
    >
      <Stack>
        <TextInput
          label={t('role.id')}
          description={t('role.idHelp')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={errors.roleid}
          required
          data-autofocus
        />
        {list}
      </Stack>
    </ChangeDialog>
  )
}

/** Every privilege there is: Administrator has all of them. */
function useKnownPrivileges(): string[] {
  const roles = useRoles().data ?? []
  return [...new Set(roles.flatMap((role) => words(role.privs)))].sort()
}
