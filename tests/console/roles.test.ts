/** What operators, investigators and auditors come for, by keyboard where that is natural, with real calls behind it. */
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shows } from '../../packages/server/src/api/testing.ts';
import {
  browserInstalled,
  expectAccessible,
  phoneViewport,
  picture,
  type Visitor,
} from '../support/browser.ts';
import { recordedTalk, type Stage, startStage, type Talk } from '../support/console-stage.ts';

const row = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text });

/** Enter on a row, as somebody without a mouse does. */
async function openRow(page: Page, text: string): Promise<void> {
  await row(page, text).first().focus();
  await page.keyboard.press('Enter');
}

async function openCall(page: Page): Promise<Locator> {
  const call = page.locator('details.call').filter({ hasText: 'Recorded' }).first();
  await call.locator('summary').focus();
  if ((await call.getAttribute('open')) === null) await page.keyboard.press('Enter');
  await call.locator('.call-body').waitFor();
  return call;
}

/** Keeps the sound that the page plays within reach: it hangs in no document. */
async function tapSound(page: Page): Promise<void> {
  await page.addInitScript(`
    const made = document.createElement;
    document.createElement = function (name, ...more) {
      const element = made.call(this, name, ...more);
      if (name === 'audio') window.sound = element;
      return element;
    };`);
}

describe.skipIf(!browserInstalled)('the console, role by role', () => {
  let stage: Stage;
  let talk: Talk;
  beforeAll(async () => {
    stage = await startStage();
    talk = await recordedTalk(stage, 'RIDE-1042');
  });
  afterAll(() => stage?.stop());

  async function done(visitor: Visitor): Promise<void> {
    expect(visitor.errors).toEqual([]);
    const [agent, customer] = [talk.agent.number, talk.customer.number];
    const told = visitor.answers.filter(({ text }) => shows(text, agent) || shows(text, customer));
    expect(told.map(({ url }) => url)).toEqual([]);
    await visitor.close();
  }

  test('an operator finds a session, sees what happened, and closes one; the page follows by itself', async () => {
    const { scene } = stage;
    const [agent, customer] = [await scene.phone(), await scene.phone()];
    const other = await scene.open(
      [
        { role: 'agent', phone: agent.number },
        { role: 'customer', phone: customer.number },
      ],
      {
        reference: 'RIDE-2000',
      },
    );
    const visitor = await stage.enter('operator');
    const { page } = visitor;
    await row(page, 'RIDE-2000').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('RIDE-1042');
    await page.keyboard.press('Enter');
    await row(page, 'RIDE-2000').waitFor({ state: 'detached' });
    await openRow(page, 'RIDE-1042');
    await page.getByRole('heading', { level: 1, name: 'RIDE-1042' }).waitFor();
    const call = await openCall(page);
    expect(await call.locator('summary').textContent()).toContain('agent called');
    expect(await call.getByRole('table', { name: 'Legs' }).getByRole('row').count()).toBe(3);
    await call.getByRole('button', { name: 'Why did it go so?' }).click();
    await call.getByText('Rules tried').or(call.getByText('Steps taken')).first().waitFor();
    await expectAccessible(page);
    await picture(page, 'session-call', true);
    // Operators don't listen.
    expect(await page.getByRole('button', { name: 'Listen' }).count()).toBe(0);

    await page.keyboard.press('Escape');
    await page.locator('h1').click();
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    const party = page.getByLabel('Party’s number');
    await party.fill(talk.customer.number);
    await party.press('Enter');
    await page.getByText('Sessions of the party whose number you typed.').waitFor();
    await row(page, 'RIDE-1042').waitFor();
    await row(page, 'RIDE-2000').waitFor({ state: 'detached' });
    expect(await party.inputValue()).toBe('');
    expect(shows(page.url(), talk.customer.number)).toBe(false);
    expect(shows(await page.content(), talk.customer.number)).toBe(false);
    await page.getByRole('button', { name: 'Forget the number' }).click();

    // Somebody else changes something.
    await page.locator('.live-dot.live').waitFor();
    await row(page, 'RIDE-2000').getByText('open', { exact: true }).waitFor();
    await page.evaluate('window.same = true');
    await stage.make(`/v1/sessions/${other.id}/close`, { reason: 'resolved' });
    await row(page, 'RIDE-2000').getByText('closed').waitFor({ timeout: 10_000 });
    const third = await scene.open(
      [
        { role: 'agent', phone: agent.number },
        { role: 'customer', phone: customer.number },
      ],
      {
        reference: 'RIDE-2001',
      },
    );
    await row(page, 'RIDE-2001').waitFor({ timeout: 10_000 });
    expect(await page.evaluate('window.same')).toBe(true);

    await openRow(page, 'RIDE-2001');
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Close the session' });
    await dialog.getByLabel('Reason').selectOption('cancelled');
    await dialog.getByRole('button', { name: 'Close' }).last().press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await page.locator('.subtitle').getByText('closed').waitFor();
    expect((await agent.dial(third.dials[0] ?? '').answered).ok).toBe(false);
    await done(visitor);
  });

  test('a report from the participant’s page goes to its verdict, and the two reach each other no more', async () => {
    const customer = await stage.browser.visitor({ viewport: phoneViewport });
    await customer.page.goto(`${stage.origin}${talk.customersPage}?lang=en`);
    await customer.page.getByRole('link', { name: 'Report a problem' }).click();
    await customer.page.getByLabel('What is it about?').selectOption('harassment');
    await customer.page.getByLabel('What happened?').fill('He shouted at me <script>alert(1)</script>.');
    await picture(customer.page, 'participant-report', true);
    await customer.page.getByRole('button', { name: 'Send report' }).click();
    await customer.page.getByRole('status').getByText('Your report has been received.').waitFor();

    const visitor = await stage.enter('investigator', '/disputes');
    const { page } = visitor;
    await tapSound(page);
    await page.reload();
    await openRow(page, 'Harassment');
    await page.getByText('He shouted at me <script>alert(1)</script>.').waitFor();
    await page.getByRole('button', { name: 'Assign to me' }).press('Enter');
    await page.getByRole('button', { name: 'Assign to nobody' }).waitFor();
    await page.getByRole('combobox', { name: 'Status' }).selectOption('investigating');
    await page.locator('.subtitle').getByText('investigating').waitFor();

    const call = await openCall(page);
    await call.getByRole('button', { name: 'Listen' }).press('Enter');
    const why = page.getByRole('dialog', { name: 'Why do you listen?' });
    await page.keyboard.type('no');
    await page.keyboard.press('Control+Enter');
    await why.getByText('Say why, in at least 3 characters.').waitFor();
    await why.getByRole('textbox').fill('complaint of the customer');
    await expectAccessible(page);
    await picture(page, 'listen-reason');
    await page.keyboard.press('Control+Enter');
    await hear(page);

    await page.getByRole('textbox', { name: 'Note' }).fill('He shouts at 0:03.');
    await page.getByRole('button', { name: 'Add the note' }).click();
    await page.getByText('He shouts at 0:03.').waitFor();
    await page.getByRole('textbox', { name: /^Why/ }).fill('Heard in the recording.');
    await page.getByRole('combobox', { name: 'About whom' }).selectOption({ index: 1 });
    await page.getByLabel('Block the person it is about').check();
    await picture(page, 'dispute-verdict');
    await page.getByRole('button', { name: 'Decide' }).press('Enter');
    await page.getByText('A block was made.').waitFor();
    expect((await talk.agent.dial(talk.session.dials[0] ?? '').answered).ok).toBe(false);
    expect((await talk.customer.dial(talk.session.dials[1] ?? '').answered).ok).toBe(false);

    await page.goto(`${stage.origin}/console/ledger?actor=${stage.users.investigator.id}`);
    for (const kind of ['recording.listened', 'dispute.changed', 'dispute.decided', 'party.blocked']) {
      await page.getByRole('table', { name: 'Ledger' }).getByText(kind).first().waitFor();
    }
    await expectAccessible(page);
    await done(visitor);

    await customer.page.goto(`${stage.origin}${talk.customersPage}?lang=en`);
    await customer.page.getByText('Listened to by').first().waitFor();
    await customer.page.getByText('complaint of the customer').first().waitFor();
    expect(customer.errors).toEqual([]);
    await customer.close();
  });

  /** The recording, from its first moment on, by the keyboard. */
  async function hear(page: Page): Promise<void> {
    const player = page.getByRole('region', { name: 'Recording' });
    await player.waitFor();
    await expect.poll(() => page.evaluate('window.sound.duration'), { timeout: 10_000 }).toBeGreaterThan(5);
    const drawn = `[...document.querySelectorAll('.wave div')].flatMap((one) => [...(one.shadowRoot?.querySelectorAll('canvas') ?? [])])
      .some((canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value !== 0))`;
    await expect.poll(() => page.evaluate(drawn), { timeout: 10_000 }).toBe(true);
    const at = async () => Number(await page.evaluate('window.sound.currentTime'));
    expect(await at()).toBe(0);
    await player.locator('.row').first().click();
    await page.keyboard.press('Space');
    await expect.poll(at, { timeout: 10_000 }).toBeGreaterThan(0.5);
    await player.getByLabel('Speed').selectOption('2');
    expect(await page.evaluate('window.sound.playbackRate')).toBe(2);
    await player.getByRole('button', { name: 'Pause' }).press('Enter');
    await player.getByRole('button', { name: 'Play' }).waitFor();
    const before = await at();
    await player.locator('.row').first().click();
    await page.keyboard.press('t');
    await expect.poll(at).toBeGreaterThan(before + 0.2);
    await page.keyboard.press('m');
    await page.keyboard.type('raises his voice');
    await page.keyboard.press('Enter');
    await player.getByRole('list', { name: 'Marks' }).getByText('raises his voice').waitFor();
    await expectAccessible(page);
    await player.scrollIntoViewIfNeeded();
    await picture(page, 'listen');
  }

  test('a recording leaves the house only when a second person agrees', async () => {
    const admin = await stage.enter('admin', '/settings');
    await admin.page.getByLabel('A second person approves each download').check();
    const section = admin.page.locator('form').filter({ hasText: 'A second person approves each download' });
    await section.getByRole('button', { name: 'Save' }).click();
    await admin.page.getByText('The settings are saved.').waitFor();

    const visitor = await stage.enter('investigator', `/sessions/${talk.session.id}`);
    const { page } = visitor;
    const call = await openCall(page);
    await call.getByRole('button', { name: 'Download', exact: true }).press('Enter');
    await page.keyboard.type('the police asks for it');
    await page.keyboard.press('Control+Enter');
    await call.getByText('Waits for a second person').waitFor();
    // Not by who asked.
    expect(await call.getByRole('button', { name: 'Approve' }).count()).toBe(0);

    await admin.page.goto(`${stage.origin}/console/disputes`);
    await expectAccessible(admin.page);
    await picture(admin.page, 'download-approval');
    await admin.page.getByRole('button', { name: 'Approve' }).click();
    await admin.page
      .getByText('Downloads of recordings that wait for a second person')
      .waitFor({ state: 'detached' });
    await done(admin);

    await call.getByText('Approved').waitFor({ timeout: 15_000 });
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      call.getByRole('button', { name: 'Fetch the file' }).click(),
    ]);
    const wav = await readFile(await file.path());
    expect(wav.toString('latin1', 0, 4)).toBe('RIFF');
    // Two channels of G.711: 16,000 bytes a second.
    expect(wav.length / 16_000).toBeGreaterThan(5);
    await done(visitor);
  });

  test('an auditor reads and proves everything, and changes and hears nothing', async () => {
    const visitor = await stage.enter('auditor', '/ledger');
    const { page } = visitor;
    await page.getByRole('button', { name: 'Verify' }).press('Enter');
    await page.getByText(/^.*Unbroken: /).waitFor();
    await page.getByLabel('Kind').fill('recording.*');
    await page.getByLabel('Kind').press('Enter');
    const table = page.getByRole('table', { name: 'Ledger' });
    await table.getByText('recording.listened').first().waitFor();
    await table.getByText('user.', { exact: false }).waitFor({ state: 'detached' });
    expect(new URL(page.url()).searchParams.get('kind')).toBe('recording.*');
    await expectAccessible(page);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save as CSV' }).click(),
    ]);
    const csv = await readFile(await file.path(), 'utf8');
    expect(csv).toContain('recording.listened');
    expect(csv).not.toContain('user.');
    expect(shows(csv, talk.customer.number)).toBe(false);

    await page.goto(`${stage.origin}/console/sessions/${talk.session.id}`);
    const call = await openCall(page);
    expect(await call.getByRole('button', { name: /Listen|Download/ }).count()).toBe(0);
    expect(await page.getByRole('button', { name: /Close|Call them|Reveal/ }).count()).toBe(0);
    const listening = `fetch('/v1/calls/${talk.call}/recording?reason=because').then(({ status }) => status)`;
    expect(await page.evaluate(listening)).toBe(403);
    for (const path of ['/keys', '/settings', '/users', '/disputes', '/webhooks', '/numbers']) {
      await page.goto(`${stage.origin}/console${path}`);
      await page.locator('h1').waitFor();
      expect(await page.getByRole('button', { name: /^(Save|Invite|New|Edit|Delete|Revoke)/ }).count()).toBe(
        0,
      );
    }
    await done(visitor);
  });
});
