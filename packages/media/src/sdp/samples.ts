/** Session descriptions as real telephones send them, addresses replaced by those of RFC 5737. */

const lines = (...text: readonly string[]) => Buffer.from(`${text.join('\r\n')}\r\n`, 'latin1');

/** A softphone: more codecs than we have, attributes that we don't read. */
export const SOFTPHONE = lines(
  'v=0',
  'o=- 3906543210 1234567890 IN IP4 192.0.2.17',
  's=-',
  'c=IN IP4 192.0.2.17',
  't=0 0',
  'a=tool:softphone 3.1.0',
  'm=audio 17724 RTP/AVP 96 8 0 101',
  'a=rtpmap:96 opus/48000/2',
  'a=fmtp:96 stereo=1;sprop-stereo=1',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-15',
  'a=rtcp:17725',
  'a=sendrecv',
  'a=label:1',
  'a=ssrc:3084612935 cname:rahul@192.0.2.17',
  'a=ptime:20',
);

/** SIPp's own: bare, static types only, LF for some versions. */
export const SIPP = Buffer.from(
  'v=0\no=user1 53655765 2353687637 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n' +
    'm=audio 6000 RTP/AVP 0\na=rtpmap:0 PCMU/8000\n',
);

/** A video telephone with a data channel: the audio line stands second, the address at each line. */
export const VIDEO = lines(
  'v=0',
  'o=alice 1 2 IN IP4 198.51.100.4',
  's=call of alice',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'm=video 5004 RTP/SAVPF 97 98',
  'c=IN IP4 198.51.100.4',
  'a=rtpmap:97 VP8/90000',
  'a=inactive',
  'm=audio 5006 RTP/AVPF 118 111 8',
  'c=IN IP6 2001:DB8:0::0007',
  'a=rtpmap:111 telephone-event/8000',
  'a=rtpmap:118 pcmu/8000/1',
  'a=sendonly',
  'm=application 5010 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 198.51.100.4',
);
