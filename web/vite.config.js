// How GraphiQL becomes files that the binary embeds: hashed names, workers as files of our own origin, nothing inline.
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/graphiql/',
  // `npm start` serves the page with hot reload in front of a running Concord.
  server: { proxy: { '/graphql': { target: 'http://127.0.0.1:8080', ws: true } } },
  worker: { format: 'es' },
  build: {
    outDir: 'dist',
    target: 'es2022',
    modulePreload: { polyfill: false },
    // Data URLs would need a wider content security policy.
    assetsInlineLimit: 0,
    // The editor is one chunk by nature; the figure is a guard against it doubling, not a wish.
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      // Directives for server rendering mean nothing in a page.
      onLog: (level, log, next) => (log.code === 'MODULE_LEVEL_DIRECTIVE' ? undefined : next(level, log)),
    },
  },
});
