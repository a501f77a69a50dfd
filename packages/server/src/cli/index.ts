/**
 * The command line: `samar serve | demo | numbers | plan | ledger | privacy | keys | users | doctor`. Composition root: the only
 * room that knows all the
 * others. May import: everything. Imported by: main.ts.
 */
import { Command, CommanderError } from 'commander';
import { ConfigError, loadConfig } from '../config.ts';
import { addLedgerCommands } from './ledger-commands.ts';
import { addPlanCommand } from './plan-command.ts';
import { addPrivacyCommands } from './privacy-commands.ts';
import { addUserCommands } from './user-commands.ts';
import { inWords } from './words.ts';

/** Runs one command line (without `node` and the script). Resolves to the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function run(words: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = new Command('samar')
    .description(
      'Phone-number masking: two people reach each other for as long as the job lasts, and neither learns the number.',
    )
    .option(
      '-c, --config <file>',
      'configuration file (default: samar.toml in this directory, where it exists)',
    )
    .showHelpAfterError()
    .exitOverride();
  const config = () => loadConfig(process.env, program.opts<{ config?: string }>().config);

  program
    .command('serve')
    .description('run the platform: HTTP API, SIP and media')
    .action(async () => {
      const { serve } = await import('./serve.ts');
      exitCode = await serve(config());
    });
  program
    .command('demo')
    .description('a masked call from beginning to end, with two pretend phones, in under a minute')
    .option('--once', 'end after the last step; exit code 0 only when every step held', false)
    .option('--keep <file>', 'where to put the recording of the talk', 'samar-demo.wav')
    .action(async (options: { once: boolean; keep: string }) => {
      const { demo } = await import('./demo.ts');
      exitCode = await demo(options);
    });
  const numbers = program.command('numbers').description('virtual numbers');
  numbers
    .command('import <file>')
    .description(
      'add virtual numbers from a CSV file (number,pool,carrier,capabilities); `-` reads standard input',
    )
    .option('--pool <name>', 'pool for lines that name none', 'default')
    .option('--carrier <name>', 'carrier for lines that name none')
    .option('--tenant <tenant>', 'whose numbers they are', 'default')
    .action(async (file: string, options: { pool: string; carrier?: string; tenant: string }) => {
      const { importCommand } = await import('./administration.ts');
      exitCode = await importCommand(config(), file, options);
    });
  addPlanCommand(program, (code) => {
    exitCode = code;
  });
  addLedgerCommands(program, config, (code) => {
    exitCode = code;
  });
  addPrivacyCommands(program, config, (code) => {
    exitCode = code;
  });
  const keys = program.command('keys').description('API keys and encryption keys');
  keys
    .command('create <name>')
    .description('make an API key; the secret is shown once')
    .option('--scope <scope...>', 'what it may do', ['admin'])
    .option('--tenant <tenant>', 'whose key it is', 'default')
    .action(async (name: string, options: { scope: string[]; tenant: string }) => {
      const { createKeyCommand } = await import('./administration.ts');
      exitCode = await createKeyCommand(config(), name, options);
    });
  keys
    .command('list')
    .description('API keys, without their secrets')
    .option('--tenant <tenant>', 'whose keys', 'default')
    .action(async (options: { tenant: string }) => {
      const { listKeysCommand } = await import('./administration.ts');
      exitCode = await listKeysCommand(config(), options);
    });
  keys
    .command('revoke <id>')
    .description('end an API key')
    .option('--tenant <tenant>', 'whose key it is', 'default')
    .action(async (id: string, options: { tenant: string }) => {
      const { revokeKeyCommand } = await import('./administration.ts');
      exitCode = await revokeKeyCommand(config(), id, options);
    });
  keys
    .command('rotate')
    .description('new encryption keys, while the platform runs; what was encrypted stays readable')
    .option('--what <key>', 'master (after a new SAMAR_MASTER_KEY was put in front) or tenant', 'tenant')
    .option('--tenant <tenant>', 'only this tenant (default: all)')
    .action(async (options: { what: string; tenant?: string }) => {
      const { rotateCommand } = await import('./administration.ts');
      exitCode = await rotateCommand(config(), options);
    });
  addUserCommands(program, config, (code) => {
    exitCode = code;
  });
  program
    .command('doctor')
    .description('what is wrong with this installation, in words')
    .action(async () => {
      const { doctorCommand } = await import('./administration.ts');
      exitCode = await doctorCommand(config);
    });

  try {
    await program.parseAsync([...words], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof ConfigError) {
      process.stderr.write(`samar: ${error.message}\n`);
      return 2;
    }
    process.stderr.write(`samar: ${inWords(error)}\n`);
    return 1;
  }
}
