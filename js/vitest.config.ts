import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "jsdom",
    include: ["tests/**/*.test.{ts,tsx}"],
    css: true,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
