// @vitest-environment node
/** What must hold of the sources and of what was built from them. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { outdir, sourceDigest } from "../build.mjs";

const SOURCE = new URL("../src", import.meta.url).pathname;

function sources(ending: RegExp): [string, string][] {
  const names = readdirSync(SOURCE, { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => ending.test(name))
    .map((name) => [name, readFileSync(join(SOURCE, name), "utf8")]);
}

function built(name: string): string {
  return readFileSync(join(outdir, name), "utf8");
}

test.each(sources(/\.tsx?$/))("%s makes no element from text and runs no text as code", (_, text) => {
  const forbidden =
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|srcdoc|setHTML|\beval\b|new Function/;
  expect(text).not.toMatch(forbidden);
});

test.each(sources(/\.(tsx?|css)$/))("%s names no outside host", (_, text) => {
  expect(text).not.toMatch(/https?:|\/\/[a-z]+\.[a-z]|@import|url\(/);
});

test("every style rule is ours alone", () => {
  for (const [file, text] of sources(/\.css$/)) {
    // A file of its own is all ours, and its body has no class.
    const ours = file.endsWith("page.css") ? /^(\.fal-nb-|(body:has\(> )?main\[data-fal-nb=)/ : /^\.fal-nb-/;
    const rules = text.replace(/\/\*[\s\S]*?\*\//g, "").matchAll(/([^{};]+)\{/g);
    for (const [, selector = ""] of rules) {
      const name = selector.trim();
      if (/^(from|to|@media|@container)/.test(name)) continue;
      if (name.startsWith("@keyframes")) expect(name).toMatch(/^@keyframes fal-nb-/);
      else for (const one of name.split(/,(?![^(]*\))/)) expect(one.trim()).toMatch(ours);
    }
  }
});

test("the bundles are made from these sources: else run the build", async () => {
  const digest = await sourceDigest();
  const entries = sources(/^[a-z]+\.tsx?$/).map(([name]) => name.replace(/\.tsx?$/, ".js"));
  expect(JSON.parse(built("build.json"))).toEqual(Object.fromEntries(entries.map((name) => [name, digest])));
});

test("the loader is small, and a view fits one message", () => {
  expect(Buffer.byteLength(built("hub.js"))).toBeLessThan(10_000);
  expect(Buffer.byteLength(built("card.js"))).toBeLessThan(160_000);
  expect(Buffer.byteLength(built("board.js"))).toBeLessThan(200_000);
});

test.each(["hub.js", "card.js", "board.js", "page.js"])(
  "%s imports nothing by name and carries its licences beside it",
  (name) => {
    expect(built(name)).not.toMatch(/\bimport\s*["'{*]|\bfrom\s*["']|https?:\/\/(?!www\.w3\.org)/);
    expect(built("third-party.txt")).toContain("MIT License");
  },
);
