// Makes dist/ from src/: bundled by esbuild (a Go tool of this module), names with a hash of the content, an index.html that names them, and each
// file also compressed, so that the relay never compresses at run time. `make build` runs it; a Node.js without packages is enough beside node_modules.
import {execFileSync} from 'node:child_process';
import {readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {join, relative} from 'node:path';
import {brotliCompressSync, constants, gzipSync} from 'node:zlib';

const here = import.meta.dirname;
const dist = join(here, 'dist');
rmSync(dist, {recursive: true, force: true});
const meta = join(here, 'node_modules', '.meta.json');
execFileSync('go', ['tool', 'esbuild', 'src/main.js', '--bundle', '--splitting', '--format=esm', '--target=es2022', '--minify',
  '--legal-comments=linked', '--entry-names=[name]-[hash]', '--chunk-names=[name]-[hash]', '--asset-names=[name]-[hash]',
  '--outdir=dist', `--metafile=${meta}`, '--log-level=warning'], {cwd: here, stdio: 'inherit'});

const outputs = Object.entries(JSON.parse(readFileSync(meta, 'utf8')).outputs);
const [script, {cssBundle}] = outputs.find(([, o]) => o.entryPoint === 'src/main.js');
writeFileSync(join(dist, 'index.html'), readFileSync(join(here, 'src/index.html'), 'utf8')
  .replace('STYLE', relative('dist', cssBundle)).replace('SCRIPT', relative('dist', script)));

for (const name of readdirSync(dist)) {
  const content = readFileSync(join(dist, name));
  writeFileSync(join(dist, name + '.gz'), gzipSync(content, {level: 9}));
  writeFileSync(join(dist, name + '.br'), brotliCompressSync(content, {params: {[constants.BROTLI_PARAM_SIZE_HINT]: content.length}}));
}
