import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// While developing, `npm run dev` serves the pages and passes the API on to a
// Matou that runs beside it.
const matou = process.env.MATOU_API ?? 'http://127.0.0.1:7080'

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2022',
    sourcemap: false,
    assetsInlineLimit: 0, // the content security policy wants files
    chunkSizeWarningLimit: 1200,
  },
  server: {
    proxy: { '/api': { target: matou, ws: true }, '/ca.pem': matou },
  },
})
