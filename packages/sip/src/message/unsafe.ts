/** A piece that would end or split its header line. What was refused is neither kept nor quoted. */
export class UnsafeHeaderError extends Error {
  override readonly name = 'UnsafeHeaderError';
}
