/** `samar privacy …`: the words of the command line; the work is in `privacy.ts`. */
import type { Command } from 'commander';
import type { Config } from '../config.ts';

export function addPrivacyCommands(
  program: Command,
  config: () => Config,
  finish: (exitCode: number) => void,
): void {
  const privacy = program.command('privacy').description('people’s rights over their data');
  const kinds = [
    ['export', 'everything held on a person, as JSON on standard output'],
    ['erase', 'destroy everything held on a person; prints the signed receipt'],
    ['restrict', 'stop using a person’s data, at once, until it is lifted'],
  ] as const;
  for (const [kind, description] of kinds) {
    privacy
      .command(`${kind} <phone>`)
      .description(description)
      .requiredOption('--reason <text>', 'why; kept encrypted')
      .option('--yes', 'don’t ask for the last four digits', false)
      .option('--tenant <tenant>', 'whose person it is', 'default')
      .action(async (phone: string, options: { reason: string; yes: boolean; tenant: string }) => {
        const { privacyCommand } = await import('./privacy.ts');
        finish(await privacyCommand(config(), kind, phone, options));
      });
  }
  privacy
    .command('open-seal <request>')
    .description(
      'what an erasure had to keep by law, for a lawful disclosure; the ledger says that it was opened',
    )
    .requiredOption('--reason <text>', 'on whose demand; stands in the ledger, so name no person')
    .option('--tenant <tenant>', 'whose request it is', 'default')
    .action(async (request: string, options: { reason: string; tenant: string }) => {
      const { openSealCommand } = await import('./privacy.ts');
      finish(await openSealCommand(config(), request, options));
    });
}
