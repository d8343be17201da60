// Bundles CodeMirror into one file for the console: `npm ci && npm run build` in this folder.
import { build } from "esbuild";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const OUT = "../../bot/web/static/codemirror.js";
const result = await build({
  entryPoints: ["codemirror.js"], bundle: true, minify: true, format: "esm", target: "es2022", legalComments: "none",
  metafile: true, write: false,
});

// Every package whose code is in the bundle, with its licence.
const folders = new Set(Object.keys(result.metafile.inputs).map((path) => /^node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0]));
folders.delete(undefined);
const packages = [];
const licences = new Map();
for (const folder of [...folders].sort()) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  packages.push(`${name} ${version} (${license})`);
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  const text = (await readFile(join(folder, file), "utf8")).trim();
  licences.set(text, [...(licences.get(text) ?? []), name]);
}
const notices = [...licences].map(([text, names]) => `${names.join(", ")}:\n\n${text}`).join("\n\n");
const head = `/*!\nBuilt by .ci/editor/build.mjs; do not edit. It holds:\n${packages.join("\n")}\n\n${notices}\n*/\n`;
await writeFile(OUT, head + result.outputFiles[0].text);
