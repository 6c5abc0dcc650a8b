import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: {
    alias: [
      { find: /^typebox$/, replacement: fileURLToPath(new URL("schema-stand-in.ts", import.meta.url)) },
    ],
  },
  server: { proxy: { "/api": "http://127.0.0.1:8000" } },
  worker: { format: "es" },
  build: {
    target: ["chrome123", "edge123", "firefox121", "safari17.5"],
    // The Content-Security-Policy allows fonts and scripts from the service itself only, no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // Icons of many pages in one file, those of few with their pages.
            { name: "icons", test: /node_modules\/lucide-react/, minShareCount: 4 },
            { name: "frame", test: /node_modules\/(?:react|react-dom|scheduler|@tanstack)\// },
          ],
        },
      },
    },
  },
});
