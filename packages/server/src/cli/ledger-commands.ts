/** `samar ledger …`: the words of the command line; the work is in `ledger.ts`. */
import type { Command } from 'commander';
import type { Config } from '../config.ts';

export function addLedgerCommands(
  program: Command,
  config: () => Config,
  finish: (exitCode: number) => void,
): void {
  const ledger = program.command('ledger').description('the record of every use of people’s data');
  ledger
    .command('verify')
    .description('check that no entry was changed, removed or moved; exit code 1 and the entry when one was')
    .option('--tenant <tenant>', 'only this tenant (default: all)')
    .option('--roots <file>', 'also compare with roots that were kept elsewhere (JSON lines); needs --tenant')
    .action(async (options: { tenant?: string; roots?: string }) => {
      const { verifyCommand } = await import('./ledger.ts');
      finish(await verifyCommand(config(), options));
    });
  ledger
    .command('roots')
    .description('the signed ends of days, oldest first, one JSON line each: keep them where we can’t write')
    .option('--tenant <tenant>', 'whose ledger', 'default')
    .action(async (options: { tenant: string }) => {
      const { rootsCommand } = await import('./ledger.ts');
      finish(await rootsCommand(config(), options));
    });
  ledger
    .command('export')
    .description('the whole chain with its roots and the public key, for somebody outside to check')
    .requiredOption('--to <file>', 'a new file (JSON lines)')
    .option('--tenant <tenant>', 'whose ledger', 'default')
    .action(async (options: { to: string; tenant: string }) => {
      const { exportCommand } = await import('./ledger.ts');
      finish(await exportCommand(config(), options));
    });
}
