/** Messages at the edge of the page. All come through here: each can be closed by name, and says aloud what it is. */
import { type NotificationData, notifications } from '@mantine/notifications'
import i18next from 'i18next'

export type Message = NotificationData

const framed = (message: Message): Message => ({
  role: message.color === 'red' ? 'alert' : 'status',
  closeButtonProps: { 'aria-label': i18next.t('common:close') },
  ...message,
})

export const notify = {
  show: (message: Message): string => notifications.show(framed(message)),
  update: (message: Message): string | undefined => notifications.update(framed(message)),
  hide: (id: string): string => notifications.hide(id),
}
