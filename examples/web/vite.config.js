import { defineConfig } from 'vite';

export default defineConfig({
  // esbuild knows React's own JSX transform, so no plugin is needed for a build.
  esbuild: { jsx: 'automatic' },
});
