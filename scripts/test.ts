/**
 * `npm test`: installs what the tests of real peers need where that is possible, says plainly what is left out where
 * it is not, runs every test, and ends with one line of counts. With `--strict`, or when CI is set, anything left out
 * is a failure. Other arguments go to Vitest.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findPeer, type Peer, peers } from './peers.ts';

const root = join(import.meta.dirname, '..');
const resultFile = join(root, 'tmp', 'test-results.json');

interface Results {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

process.exitCode = main(process.argv.slice(2));

function main(args: readonly string[]): number {
  const ci = process.env['CI'];
  const strict = args.includes('--strict') || (ci !== undefined && ci !== '' && ci !== 'false');
  const missing = install(peers.filter((peer) => findPeer(peer) === undefined));
  for (const peer of missing) {
    console.log(`Left out: ${peer.without} (${peer.program} is not installed: ${whyNot(peer)}).`);
  }
  const status = runVitest(args.filter((argument) => argument !== '--strict'));
  const results = readResults();
  if (results === undefined) {
    console.log('The tests did not run to their end.');
    console.log('0 passed, 1 failed, 0 skipped');
    return status || 1;
  }
  const skipped = results.numPendingTests + results.numTodoTests;
  for (const name of skippedNames(results)) console.log(`Skipped: ${name}`);
  const incomplete = strict && (skipped > 0 || missing.length > 0);
  if (incomplete)
    console.log('Something was left out, and this run is a strict one (CI or --strict): it fails.');
  const failed = Math.max(results.numFailedTests + brokenFiles(results), status === 0 ? 0 : 1);
  console.log(`${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
  return status || (incomplete ? 1 : 0);
}

/** Returns those that are still missing. */
function install(missing: readonly Peer[]): readonly Peer[] {
  if (missing.length === 0 || !onDebian()) return missing;
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (asRoot.length > 0 && !succeeds(['sudo', '-n', 'true'], 'ignore')) return missing;
  const packages = missing.flatMap((peer) => [peer.debianPackage, ...(peer.besides ?? [])]);
  console.log(`Installing what the tests of real peers need: ${packages.join(' ')}`);
  const apt = [...asRoot, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-y'];
  if (succeeds([...apt, 'update'])) {
    // One by one: a package that this release lacks must not keep the others away.
    for (const name of packages) succeeds([...apt, 'install', '--no-install-recommends', name]);
  }
  return missing.filter((peer) => findPeer(peer) === undefined);
}

function onDebian(): boolean {
  try {
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

function whyNot(peer: Peer): string {
  return onDebian()
    ? `apt-get could not install ${peer.debianPackage}, or this user may not`
    : `installed by itself only on Debian and Ubuntu, from the package ${peer.debianPackage}`;
}

function succeeds(command: readonly string[], output: 'inherit' | 'ignore' = 'inherit'): boolean {
  const [program = '', ...args] = command;
  return spawnSync(program, args, { stdio: ['ignore', output, output] }).status === 0;
}

function runVitest(args: readonly string[]): number {
  mkdirSync(join(root, 'tmp'), { recursive: true });
  rmSync(resultFile, { force: true });
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const run = spawnSync(
    process.execPath,
    [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${resultFile}`, ...args],
    { cwd: root, stdio: 'inherit' },
  );
  return run.status ?? 1;
}

function readResults(): Results | undefined {
  try {
    return JSON.parse(readFileSync(resultFile, 'utf8')) as Results;
  } catch {
    return undefined;
  }
}

/** Files that failed without a failed test (they do not load, say): each counts as one failure. */
function brokenFiles(results: Results): number {
  return results.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  ).length;
}

function skippedNames(results: Results): readonly string[] {
  return results.testResults.flatMap((file) =>
    file.assertionResults
      .filter(({ status }) => status !== 'passed' && status !== 'failed')
      .map(({ fullName }) => fullName),
  );
}
