/** For the test beside it; the browser reads the JavaScript. */
export function createResampler(from: number, to: number): (input: Float32Array) => Float32Array;
