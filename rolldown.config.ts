import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';

/** What a machine without the sources has to know about the package. */
function manifest(): string {
  const whole: Record<string, unknown> = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8'));
  const { name, version, license, type } = whole;
  return `${JSON.stringify({ name, version, license, type })}\n`;
}

/**
 * `new URL('<file>', import.meta.url)` names a neighbour: a script to be started as a process becomes an entry of its own, any other
 * file is copied, and the URL then names what came of it.
 */
function neighbours(): Plugin {
  return {
    name: 'neighbours',
    transform(code, id) {
      if (!id.startsWith(join(import.meta.dirname, 'src'))) return null;
      return code.replaceAll(/new URL\('([^']+)', import\.meta\.url\)/g, (_, path: string) => {
        const file = join(dirname(id), path);
        const name = basename(file, '.ts');
        const reference =
          name === 'package.json'
            ? this.emitFile({ type: 'asset', fileName: 'package.json', source: manifest() })
            : file.endsWith('.ts')
              ? this.emitFile({ type: 'chunk', id: file, name })
              : this.emitFile({ type: 'asset', name, source: readFileSync(file) });
        return `new URL(import.meta.ROLLUP_FILE_URL_${reference})`;
      });
    },
  };
}

/** Modules of packages that are asked for one by one come in like all others. */
function plainRequire(): Plugin {
  return {
    name: 'plain-require',
    transform: (code) => code.replace('const require = createRequire(import.meta.url);', ''),
  };
}

/**
 * V8 keeps a source in memory, at two bytes a character as soon as one does not fit into one byte: escaped, a process needs a
 * megabyte or two less. In strings, templates, patterns and comments alike an escape means the same.
 */
function oneByteSource(): Plugin {
  return {
    name: 'one-byte-source',
    // Not earlier: strings are printed anew after renderChunk.
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === 'chunk') file.code = file.code.replace(/[^\0-\xff]/g, escapeOf);
      }
    },
  };
}

function escapeOf(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

export default defineConfig({
  // The second is what plain `iptables` is in the proxier's image.
  input: { main: 'src/main.ts', 'iptables-wrapper': 'src/iptables-wrapper.ts' },
  platform: 'node',
  plugins: [neighbours(), plainRequire(), oneByteSource()],
  output: {
    dir: 'dist',
    cleanDir: true,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    assetFileNames: 'assets/[name]-[hash][extname]',
  },
});
