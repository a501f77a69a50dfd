/** Each test file gets RTP ports of its own: above those of the media tests, below those of a Samar that runs here. */
let nextPorts = 10_000 + (process.pid % 45) * 200;

export function takeRtpPorts(count: number): { readonly from: number; readonly to: number } {
  if (nextPorts + count > 20_000) nextPorts = 10_000;
  const from = nextPorts;
  nextPorts += count;
  return { from, to: from + count - 1 };
}
