/**
 * Builds entries of the source into one folder: `node src/bundle.mjs FOLDER ENTRY…`, run by setup.mjs and by the benchmarks.
 *
 * In:  TypeScript entry files. Out: one JavaScript bundle an entry, with source maps. Not: type checks (`npm run typecheck`).
 *
 * A bundle and not file by file, because the bundler writes the row's offsets and the protocols' numbers into the code as literals. Node
 * loads an imported constant from memory and checks it at each use, and metering a packet uses about a hundred and fifty: metering
 * took a third more time on plain compiler output (190 ns a packet against 142, flows in cache).
 */
import { basename } from 'node:path'
import { build } from 'rolldown'

const [folder, ...entries] = process.argv.slice(2)

await build({
  input: Object.fromEntries(entries.map((entry) => [basename(entry).replace(/\.[^.]+$/, ''), entry])),
  platform: 'node',
  // Packages stay packages: only what begins with a dot or a slash is ours.
  external: /^[^./]/,
  optimization: { inlineConst: true },
  logLevel: 'warn',
  output: { dir: folder, format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name].js', sourcemap: true },
})
