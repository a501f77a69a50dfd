import type { Command } from 'commander';
import type { PlanOptions } from './plan.ts';

const examples = `
Times are written 90s, 40m, 24h, 30d; rates 500/h or 12000/d.

Examples:
  samar plan --sessions 500/h --duration 40m --p95 90m --role agent:600:busiest=30 --role customer:40000
  samar plan jobs.csv --growth 1.3 --price 1.20
  samar plan jobs.csv --role driver --role rider --cooldown driver=24h --app driver

A CSV file has the columns opened_at, closed_at and one for each role (agent,customer,…) with ids of any kind; no id is
shown or kept. A pool is as large as the busiest party needs at once: numbers of live sessions and of those that cool.`;

/** `samar plan`: the words of the command line. */
export function addPlanCommand(program: Command, done: (exitCode: number) => void): void {
  program
    .command('plan [jobs]')
    .description(
      'how many virtual numbers are needed: from rates, or from a CSV file of past jobs (`-`: standard input)',
    )
    .option('--sessions <rate>', 'sessions opened, on average over the day')
    .option('--duration <time>', 'how long a session lives on average (exponential)')
    .option('--p95 <time>', '95 of 100 sessions are shorter than this (lognormal)')
    .option('--fixed', 'every session lives exactly as long')
    .option(
      '--role <role...>',
      'role:parties, and how unevenly sessions fall on them: role:parties:busiest=30 (sessions a day of the busiest), role:parties:zipf=0.8. With a file: the column of a role',
    )
    .option('--profile <weights>', 'weights of the 24 hours of a day, with commas')
    .option('--from-empty', 'nobody has had a number before (default: as if it had long gone on like this)')
    .option('--growth <factor>', 'with a file: each party will do so many times as much')
    .option('--skip-bad-rows', 'with a file: leave out rows that cannot be read')
    .option(
      '--cooldown <role=time...>',
      'how long a number stays away from a party (default: agent=24h, others 30d)',
    )
    .option('--app <role...>', 'roles that call from your app and hold no number')
    .option('--horizon <time>', 'how long the pool is to suffice (default: 30d)')
    .option(
      '--failure <chance>',
      'chance that within the horizon any session finds no number (default: 0.001)',
    )
    .option('--price <amount>', 'what a number costs a month')
    .option('--svg <file>', 'where to draw it', 'samar-plan.svg')
    .option('--no-svg', 'draw nothing')
    .option('--json', 'print the plan as JSON')
    .addHelpText('after', examples)
    .action(async (jobs: string | undefined, options: PlanOptions) => {
      const { planCommand } = await import('./plan.ts');
      done(await planCommand(jobs, options));
    });
}
