import { readFileSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'
import { checkCatalogues } from './scripts/catalogues.mjs'

const site = '../src/corral/daemons/site'

/** A text without its translation must not get into a build. */
function catalogues(): Plugin {
  return {
    name: 'catalogues',
    apply: 'build',
    buildStart() {
      const wrong = checkCatalogues()
      if (wrong.length > 0) this.error(`translations:\n${wrong.join('\n')}`)
    },
  }
}

/** `NAME.br` beside every text file, so that the server never compresses. */
function brotli(): Plugin {
  return {
    name: 'brotli',
    apply: 'build',
    async closeBundle() {
      for (const name of await readdir(site, { recursive: true })) {
        if (!/\.(js|css|svg|json|wasm|txt|webmanifest)$/.test(name)) continue
        const content = readFileSync(join(site, name))
        if (content.length < 1024) continue
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length }
        writeFileSync(join(site, `${name}.br`), brotliCompressSync(content, { params }))
      }
    },
  }
}

/**
 * What many pages need of the libraries comes in one file: a hundred small ones cost more by their number than they save.
 * What only some pages need (consoles, charts, notes) is no part of it.
 */
const base = /node_modules[\\/](?!uplot|@xterm|@novnc|marked|dompurify)/

export default defineConfig({
  plugins: [react(), catalogues(), brotli()],
  resolve: { alias: { '@': new URL('./src', import.meta.url).pathname } },
  build: {
    outDir: site,
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: false,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [{ name: 'base', test: base, minShareCount: 4 }],
        },
      },
    },
  },
  server: {
    // `CORRAL_NODE=https://localhost:8006 npm run dev`: the page from Vite, the API from a running node.
    proxy: { '/api2': { target: process.env.CORRAL_NODE ?? 'https://localhost:8006', secure: false, ws: true } },
  },
})
