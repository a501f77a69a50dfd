/**
 * A pretend phone network for trying and testing. Real SIP and RTP, no telephone company.
 *
 * registrar   phones register under a phone number (RFC 3261 section 10, digest)
 * router      a call to a registered number rings that phone; any other number goes to the trunk, which is Samar
 * trunk       Samar, seen from the network; what comes from it is delivered to phones
 * phone       a scripted telephone: dials, answers, plays, listens, presses keys
 * web-phone   a telephone whose ear, mouth and keypad are a browser's, over a WebSocket
 *
 * May import: doors, sip, media. Knows nothing of masking.
 */
export { createDevCarrier, type DevCarrier, type DevCarrierOptions } from './carrier.ts';
export { likeness, loudness } from './listening.ts';
export { createPhone, type Phone, type PhoneCall, type PhoneOptions } from './phone.ts';
export { createWebPhone, type WebChannel, type WebListener, type WebPhone } from './web-phone.ts';
