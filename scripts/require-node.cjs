'use strict';
// Loaded before everything else by the npm scripts. Plain old JavaScript on purpose: it must be understood by
// exactly those versions of Node that it turns away.
// Samar runs its TypeScript as it is, which needs Node 24 or later. `npm ci` brings that Node along as an optional
// dependency (node_modules/.bin/node, first in the PATH of every npm script).
var major = Number(process.versions.node.split('.')[0]);
if (!(major >= 24)) {
  process.stderr.write(
    'Samar needs Node.js 24 or later, but this is Node.js ' +
      process.versions.node +
      ' on ' +
      process.platform +
      '-' +
      process.arch +
      '.\n' +
      'Start it through npm (npm start, npm run demo, npm test): npm ci installs Node.js 24 for Linux and macOS\n' +
      'as an optional dependency. If you see this from npm, that dependency is missing: run npm ci again without\n' +
      '--omit=optional, or install Node.js 24 yourself.\n',
  );
  process.exit(1);
}
