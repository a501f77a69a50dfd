import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Served by the platform at /console/; `npm run dev -w @samar/console` proxies to one that runs on 8080. */
export default defineConfig({
  base: '/console/',
  plugins: [react()],
  build: { outDir: 'dist', emptyOutDir: true, sourcemap: false, chunkSizeWarningLimit: 800 },
  server: {
    proxy: { '/v1': 'http://localhost:8080', '/try': { target: 'http://localhost:8080', ws: true } },
  },
});
