import { Skeleton, Typography } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import classes from '@/ui/Markdown.module.css'

/** Text in Markdown, made safe: no scripts, no styles, no forms; links open elsewhere and learn nothing of this page. */
export function Markdown({ text }: { text: string }) {
  const { data } = useQuery({
    queryKey: ['markdown', text],
    queryFn: async () => (await import('@/ui/safeMarkdown')).rendered(text),
    gcTime: 60_000,
  })
  if (data === undefined) return <Skeleton h={40} />
  return (
    <Typography className={classes.text} fz="sm">
      {/* biome-ignore lint/security/noDangerouslySetInnerHtml: DOMPurify has gone over it */}
      <div dangerouslySetInnerHTML={{ __html: data }} />
    </Typography>
  )
}
