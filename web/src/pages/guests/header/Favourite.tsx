import { guestRef } from '@/shell/refs'
import { Star } from '@/shell/Star'

export const Favourite = ({ vmid }: { vmid: number }) => <Star of={guestRef(vmid)} />
