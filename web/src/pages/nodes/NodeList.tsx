import { IconServer } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useInventory, useNodes } from '@/live/inventory'
import { useNodeColumns } from '@/pages/nodes/list/columns'
import { type NodeEntry, nodeEntries } from '@/pages/nodes/list/entries'
import { DataTable } from '@/ui/DataTable'
import { Page } from '@/ui/Page'

const keyOf = ({ node }: NodeEntry): string => node
const hrefOf = ({ node }: NodeEntry): string => `/nodes/${encodeURIComponent(node)}`

/** The cluster's nodes and what they are busy with. */
export default function NodeList() {
  const { t } = useTranslation('lists')
  const { ready, guests } = useInventory()
  const nodes = useNodes()
  const rows = useMemo(() => nodeEntries(nodes, guests.values()), [nodes, guests])
  return (
    <Page title={t('nodes')} flush>
      <DataTable
        id="nodes"
        label={t('nodes')}
        columns={useNodeColumns()}
        rows={rows}
        rowKey={keyOf}
        rowName={keyOf}
        href={hrefOf}
        loading={!ready}
        defaultSort="node"
        empty={{ title: t('noNodes'), description: t('noNodesHint'), icon: <IconServer /> }}
      />
    </Page>
  )
}
