import { describe, expect, it } from 'vitest';
import { forbiddenHosts } from './testing.ts';
import { checkWebhookUrl, webhookRules } from './webhook-url.ts';

describe('the URL of a decision webhook', () => {
  it('may lead to a public host by https', () => {
    for (const url of [
      'https://example.com',
      'https://decisions.shop.example.com/calls?version=2',
      'https://example.com:8443/a',
      'https://example.com:443/a',
      'https://8.8.8.8/a',
      'https://[2a00:1450:4001:81b::200e]/a',
      'https://bücher.example.com/a',
      `https://example.com/${'a'.repeat(2_000)}`,
    ]) {
      expect([url, checkWebhookUrl(url)]).toEqual([url, undefined]);
    }
  });

  it('may not lead to this machine or a network behind it, however that is spelled', () => {
    expect(new Set(forbiddenHosts).size).toBe(forbiddenHosts.length);
    expect(forbiddenHosts.length).toBeGreaterThanOrEqual(100);
    const passed = forbiddenHosts.filter((host) => checkWebhookUrl(`https://${host}/a`) === undefined);
    expect(passed).toEqual([]);
  });

  it('is refused with the reason', () => {
    const refused: readonly (readonly [url: string, reason: RegExp])[] = [
      ['', /not a URL/],
      ['decide', /not a URL/],
      ['//example.com/a', /not a URL/],
      ['https://', /not a URL/],
      ['https://exa mple.com', /spaces/],
      ['https://example.com/\n', /control/],
      [' https://example.com', /spaces/],
      ['https://example.com\\@127.0.0.1/', /backslashes/],
      ['http://example.com/a', /https/],
      ['ftp://example.com/a', /https/],
      ['file:///etc/passwd', /https/],
      ['javascript:alert(1)', /https/],
      ['data:application/json,{}', /https/],
      ['https://user@example.com/a', /user name/],
      ['https://user:word@example.com/a', /user name/],
      ['https://example.com@127.0.0.1/a', /user name/],
      ['https://example.com/a#b', /fragment/],
      ['https://example.com:22/a', /port/],
      ['https://example.com:80/a', /port/],
      ['https://example.com:0/a', /port/],
      ['https://8.8.8.8:8080/a', /port/],
      ['https://example.com:65536/a', /not a URL/],
      ['https://-example.com/a', /host/],
      ['https://exa$mple.com/a', /host/],
      [`https://example.com/${'a'.repeat(2_100)}`, /2,048/],
    ];
    for (const [url, reason] of refused) {
      expect([url, checkWebhookUrl(url) ?? '']).toEqual([url, expect.stringMatching(reason)]);
    }
  });

  it('may lead to the networks that the operator names, by http and other ports too, and to no others', () => {
    const rules = webhookRules(['10.1.0.0/16', '127.0.0.1', 'fd00:1::/32']);
    for (const url of [
      'http://10.1.2.3:9000/a',
      'https://127.0.0.1:9000/',
      'http://[fd00:1::5]/',
      'http://[::ffff:10.1.0.1]/',
      'http://decisions:3000/',
      'https://example.com/a',
      'https://8.8.8.8/a',
    ]) {
      expect([url, checkWebhookUrl(url, rules)]).toEqual([url, undefined]);
    }
    for (const url of [
      'http://10.2.0.1/',
      'http://127.0.0.2/',
      'http://[fd00:2::5]/',
      'http://[::1]/',
      'http://8.8.8.8/',
      'https://8.8.8.8:9000/',
      'https://169.254.169.254/',
      'ftp://10.1.2.3/',
    ]) {
      expect([url, checkWebhookUrl(url, rules)]).not.toEqual([url, undefined]);
    }
    expect(rules.kindOf('10.1.255.255')).toBe('allowed');
    expect(rules.kindOf('::ffff:10.1.0.1')).toBe('allowed');
    expect(rules.kindOf('8.8.8.8')).toBe('public');
    expect(rules.kindOf('fe80::1%eth0')).toBe('refused');
    expect(rules.kindOf('decisions')).toBe('refused');
  });

  it('knows a network when it sees one', () => {
    for (const text of [
      '',
      'a',
      '10.0.0.0/33',
      '10.0.0.0/',
      '10.0.0.0/8/8',
      '10.0/8',
      '::/129',
      '::ffff:10.0.0.0/104',
      'fe80::1%a',
      '10.0.0.0/-1',
    ]) {
      expect(() => webhookRules([text])).toThrow('must be IP addresses or networks');
    }
    expect(webhookRules([]).onPremises).toBe(false);
    expect(webhookRules(['::/0']).kindOf('127.0.0.1')).toBe('refused');
    expect(webhookRules(['::/0']).kindOf('::1')).toBe('allowed');
  });
});
