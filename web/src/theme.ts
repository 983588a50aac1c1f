import { createTheme, type MantineColorsTuple, Menu } from '@mantine/core'

// Contrast with white is at least 4.5 from shade 6 on, with the dark background from shade 4 down.
const corral: MantineColorsTuple = [
  '#effcf9',
  '#d5f5ee',
  '#abe9dd',
  '#77d6c7',
  '#45bbac',
  '#249d8f',
  '#0f766e',
  '#0d645f',
  '#0b514e',
  '#093f3d',
]

// White on it is legible from shade 6 on, as above.
const red: MantineColorsTuple = [
  '#fff5f5',
  '#ffe3e3',
  '#ffc9c9',
  '#ffa8a8',
  '#ff8787',
  '#f03e3e',
  '#d92b2b',
  '#c92a2a',
  '#b02525',
  '#8f1d1d',
]

export const theme = createTheme({
  primaryColor: 'corral',
  primaryShade: { light: 6, dark: 6 },
  colors: { corral, red },
  autoContrast: true,
  luminanceThreshold: 0.28,
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "Cascadia Code", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  components: {
    // Its placeholder is no item: screen readers would find something in the menu that is none.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false } }),
    // A dialog's heading is no banner: that landmark is the page's own.
    Modal: { defaultProps: { attributes: { header: { role: 'presentation' } } } },
    Drawer: { defaultProps: { attributes: { header: { role: 'presentation' } } } },
  },
  headings: {
    fontWeight: '600',
    sizes: { h1: { fontSize: '1.375rem' }, h2: { fontSize: '1.125rem' }, h3: { fontSize: '1rem' } },
  },
})
