/** At most two units: `1 h 5 min`. */
export function lengthOf(
  seconds: number,
  units: { readonly day: string; readonly hour: string; readonly minute: string; readonly second: string },
): string {
  const sizes = [
    [86_400, units.day],
    [3_600, units.hour],
    [60, units.minute],
    [1, units.second],
  ] as const;
  let left = seconds;
  const parts: string[] = [];
  for (const [size, unit] of sizes) {
    const count = Math.floor(left / size);
    if (count > 0) parts.push(`${count} ${unit}`);
    left -= count * size;
  }
  return parts.slice(0, 2).join(' ') || `0 ${units.second}`;
}
