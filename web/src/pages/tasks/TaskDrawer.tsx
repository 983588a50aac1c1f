export default function TaskDrawer(_: { phone?: boolean }) {
  return null
}
