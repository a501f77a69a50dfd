/**
 * Builds the console when packages are installed. An installation without development packages (`npm ci --omit=dev`)
 * has no Vite: it keeps the console that it has, or none, which the page at /console/ then says.
 */
const { spawnSync } = require('node:child_process');
const { join } = require('node:path');

const root = join(__dirname, '..');
let vite;
try {
  vite = join(
    require.resolve('vite/package.json', { paths: [join(root, 'packages', 'console')] }),
    '..',
    'bin',
    'vite.js',
  );
} catch {
  console.log('The console was not built: Vite is a development package, and those are left out.');
}
if (vite !== undefined) {
  const args = [vite, 'build', join(root, 'packages', 'console'), '--logLevel', 'warn'];
  process.exitCode = spawnSync('node', args, { stdio: 'inherit' }).status ?? 1;
}
