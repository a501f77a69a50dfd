import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MaskingError } from '../service.ts';
import { checkLimits, checkProgram, checkSchedule, checkSpoken } from './index.ts';
import { faultOf } from './testing.ts';

const known = {
  roles: new Set(['agent', 'customer']),
  destinations: new Set(['support']),
  prompts: new Set(['closed', 'unavailable', 'goodbye', 'voicemail', 'call-about', 'char-1']),
};

describe('anything at all', () => {
  const steps = fc.letrec((tie) => ({
    step: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom({ connect: 'agent' }, { refuse: 'nope' }, { use: 'a' }, { ask: { url: 3 } }, null, 7),
      fc.record({
        menu: fc.record({ prompt: fc.string(), choices: fc.dictionary(fc.string(), tie('step')) }),
      }),
      fc.array(tie('step'), { maxLength: 3 }),
      fc.record({ ask: fc.record({ url: fc.webUrl(), fallback: tie('step') }) }),
    ),
  })).step;
  const almost = fc.record(
    {
      rules: fc.array(
        fc.record(
          { when: fc.oneof(fc.string(), fc.constant('now.hour > 1')), then: steps },
          { requiredKeys: [] },
        ),
      ),
      blocks: fc.dictionary(fc.string(), steps),
      closed: steps,
      timeZone: fc.string(),
    },
    { requiredKeys: ['rules'] },
  );

  it('is accepted or refused with a MaskingError that has a pointer', () => {
    let faults = 0;
    fc.assert(
      fc.property(
        fc.oneof(fc.anything({ withBigInt: true, withMap: true }), fc.jsonValue(), almost),
        (definition) => {
          for (const check of [
            () => checkProgram(definition, known),
            () => checkSchedule(definition, ''),
            () => checkLimits(definition, ''),
            () => checkSpoken(definition, '', known.prompts),
          ]) {
            try {
              check();
            } catch (error) {
              faults++;
              expect(error).toBeInstanceOf(MaskingError);
              expect((error as MaskingError).pointer).toMatch(/^(?:\/|$)/);
            }
          }
        },
      ),
      { numRuns: 1_000 },
    );
    expect(faults).toBeGreaterThan(2_000);
  });

  it('however deep', () => {
    let deep: unknown = { connect: 'customer' };
    for (let level = 0; level < 20_000; level++)
      deep = { menu: { prompt: 'goodbye', choices: { '1': deep } } };
    expect(faultOf(() => checkProgram({ rules: [{ then: deep }] }, known)).code).toBe('program-invalid');
  });
});
