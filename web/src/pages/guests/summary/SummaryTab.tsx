import { Grid, Stack } from '@mantine/core'
import { useApi } from '@/api/query'
import { useGuestMay } from '@/pages/guests/may'
import { Charts } from '@/pages/guests/summary/Charts'
import { Notes } from '@/pages/guests/summary/Notes'
import { Overview } from '@/pages/guests/summary/Overview'
import type { TabProps } from '@/pages/guests/tabs'

export default function SummaryTab({ guest }: TabProps) {
  const may = useGuestMay(guest.vmid)
  const { node, vmid } = guest
  const { data: config } = useApi('GET /nodes/{node}/qemu/{vmid}/config', { node, vmid })
  return (
    <Grid gap="md">
      <Grid.Col span={{ base: 12, lg: 4 }}>
        <Stack>
          <Overview guest={guest} config={config} may={may} />
          <Notes guest={guest} text={config?.description ?? ''} mayEdit={may('VM.Config.Options')} />
        </Stack>
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 8 }}>
        <Charts guest={guest} />
      </Grid.Col>
    </Grid>
  )
}
