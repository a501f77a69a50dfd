/**
 * masking: the heart. Sessions, numbers, decisions; free of transport.
 *
 * May import: store, vault, doors. Imported by: switch, api, cli.
 * Data: phone numbers come in from the API and the switch, go encrypted into the store, and leave only as targets of
 * a decision (to the switch) or masked (to the API).
 */

export { createMasking, type MaskingOptions } from './masking.ts';
