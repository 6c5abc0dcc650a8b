import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  server: { proxy: { "/api": "http://127.0.0.1:8000" } },
  build: {
    target: ["chrome123", "edge123", "firefox121", "safari17.5"],
    // The Content-Security-Policy allows fonts and scripts from the service itself only, no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "icons", test: /node_modules\/lucide-react/ },
            { name: "frame", test: /node_modules\/(?:react|react-dom|scheduler|@tanstack)\// },
          ],
        },
      },
    },
  },
});
