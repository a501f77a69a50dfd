/**
 * A pretend phone network for trying and testing. Real SIP and RTP, no telephone company.
 *
 * registrar   phones register under a phone number (RFC 3261 section 10, digest)
 * router      a call to a registered number rings that phone; any other number goes to the trunk, which is Samar
 * trunk       Samar, seen from the network; what comes from it is delivered to phones
 * phone       a scripted telephone: dials, answers, plays, listens, presses keys
 *
 * May import: doors, sip, media. Knows nothing of masking.
 */
export { createDevCarrier, type DevCarrier, type DevCarrierOptions } from './carrier.ts';
export { likeness, loudness } from './listening.ts';
export { createPhone, type Phone, type PhoneCall, type PhoneOptions } from './phone.ts';
