// Builds the bundles into fal_nb/static/ and writes build.json, which says from which sources they were made.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
export const outdir = resolve(here, "../fal_nb/static");

/** Bundle name → entry. `hub` is the loader, `three` and `viewer` show solids, the others are views. */
const entries = {
  hub: "src/hub.ts",
  card: "src/card.tsx",
  board: "src/board.tsx",
  canvas: "src/canvas.tsx",
  form: "src/form.tsx",
  gallery: "src/gallery.tsx",
  models: "src/models.tsx",
  monitor: "src/monitor.tsx",
  plan: "src/plan.tsx",
  page: "src/page.ts",
  pareto: "src/pareto.tsx",
  three: "src/three.ts",
  viewer: "src/viewer.ts",
};
const bundled = [
  "preact",
  "@preact/signals",
  "@preact/signals-core",
  "photoswipe",
  "three",
  "@google/model-viewer",
  "@monogrid/gainmap-js",
  "promise-worker-transferable",
  "lit",
  "lit-element",
  "lit-html",
  "@lit/reactive-element",
];

/**
 * The SHA-256 of everything the bundles are made from: one line `path NUL sha256(content) LF` for each file of
 * src/ and for build.mjs and package-lock.json, paths relative to js/ with forward slashes, sorted by code point.
 */
export async function sourceDigest() {
  const entries = await readdir(join(here, "src"), { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(here, join(entry.parentPath, entry.name)).split(sep).join("/"));
  files.push("build.mjs", "package-lock.json");
  files.sort((a, b) => (a < b ? -1 : 1));
  const all = createHash("sha256");
  for (const file of files) {
    const content = createHash("sha256").update(await readFile(join(here, file)));
    all.update(`${file}\0${content.digest("hex")}\n`);
  }
  return all.digest("hex");
}

/** A style sheet beside its importer, or one of a package. */
function cssPath(folder, path) {
  return path.startsWith(".") ? resolve(folder, path) : createRequire(import.meta.url).resolve(path);
}

/** `import css from "./card.css?inline"` gives the minified text, in esbuild as in vitest. */
const cssText = {
  name: "css-text",
  setup(build) {
    build.onResolve({ filter: /\.css\?inline$/ }, (args) => ({
      path: cssPath(args.resolveDir, args.path.replace(/\?inline$/, "")),
      namespace: "css-text",
    }));
    build.onLoad({ filter: /.*/, namespace: "css-text" }, async (args) => {
      const { code } = await esbuild.transform(await readFile(args.path, "utf8"), {
        loader: "css",
        minify: true,
        target: "es2022",
      });
      return { contents: code.trim(), loader: "text", watchFiles: [args.path] };
    });
  },
};

/** The name by which `viewer` imports the other bundle; the page puts a Blob URL in its place (lib/modules.ts). */
const THREE = "fal-nb:three";

/** three.js is a bundle of its own: whoever else imports it gets that one. */
const threeApart = {
  name: "three-apart",
  setup(build) {
    build.onResolve({ filter: /^three$/ }, ({ importer }) =>
      relative(here, importer).split(sep).join("/") === entries.three
        ? undefined
        : { path: THREE, external: true },
    );
  },
};

/** Packages name decoders that would be fetched from other hosts; here nothing is, so no such address is kept. */
const noAddresses = {
  name: "no-addresses",
  setup(build) {
    const filter = /node_modules[\\/](three|@google[\\/]model-viewer)[\\/].*\.js$/;
    build.onLoad({ filter }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(/https?:\/\/(?!www\.w3\.org)[^\s"'`<>)]*/g, ""),
      loader: "js",
    }));
  },
};

const writeBuildInfo = {
  name: "build-info",
  setup(build) {
    build.onEnd(async (result) => {
      if (result.errors.length > 0) return;
      const digest = await sourceDigest();
      const info = Object.fromEntries(Object.keys(entries).map((name) => [`${name}.js`, digest]));
      await writeFile(join(outdir, "build.json"), `${JSON.stringify(info, null, 2)}\n`);
      await writeFile(join(outdir, "third-party.txt"), await licences());
    });
  },
};

async function licences() {
  const texts = await Promise.all(
    bundled.map(async (name) => {
      const text = await readFile(join(here, "node_modules", name, "LICENSE"), "utf8");
      return `${name}\n\n${text.trim()}\n`;
    }),
  );
  return texts.join("\n\n");
}

async function main() {
  await mkdir(outdir, { recursive: true });
  const context = await esbuild.context({
    absWorkingDir: here,
    entryPoints: entries,
    outdir,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "info",
    plugins: [cssText, threeApart, noAddresses, writeBuildInfo],
  });
  if (process.argv.includes("--watch")) {
    await context.watch();
  } else {
    await context.rebuild();
    await context.dispose();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
