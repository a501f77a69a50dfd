/**
 * One leg's RTCP: sends our reports at random intervals about every five seconds, reads the peer's, forwards nothing.
 */
import type { Clock, Random, UdpSocket } from '@samar/doors';
import type { Counters } from './counters.ts';
import { type Reception, SAMPLES_PER_MILLISECOND } from './reception.ts';
import { middleOfNtp, type ReportBlock, readReport, writeReport } from './rtcp.ts';
import type { Writer } from './writer.ts';

/** RFC 3550 section 6.2: five seconds, times a random factor of 0.5 to 1.5 each time. */
const REPORT_INTERVAL = 5000;
/** A round trip past this is a lie or a mistake. */
const LONGEST_ROUND_TRIP = 10_000;
/** Reports read per leg and second; a peer sends one every few seconds. */
const REPORTS_PER_SECOND = 5;

export interface Control {
  /** Where reports go from now on. */
  aim(address: string, port: number, now: number): void;
  /** The peer's stream has this SSRC. */
  hear(ssrc: number): void;
  /** Sends a report when one is due, or a last one with BYE. */
  report(now: number, bye: boolean): void;
  receive(data: Uint8Array, now: number): void;
  quality(): {
    readonly remotePacketsLost: number | undefined;
    readonly remoteJitter: number | undefined;
    readonly roundTrip: number | undefined;
  };
}

export function createControl(
  doors: { readonly clock: Clock; readonly random: Random },
  socket: Pick<UdpSocket, 'send'>,
  name: string,
  writer: Writer,
  reception: Reception,
  counters: Counters,
): Control {
  let address = '';
  let port = 0;
  let peerSsrc = 0;
  let dueAt = Number.POSITIVE_INFINITY;
  let packetsAtLast = 0;
  let packetsBefore = 0;
  let spoke = false;
  let lastSent: number[] = [];
  let peerReport = 0;
  let peerReportAt = 0;
  let allowance = REPORTS_PER_SECOND;
  let allowanceAt = 0;
  let latest: ReportBlock | undefined;
  let roundTrip: number | undefined;

  function schedule(now: number): void {
    dueAt = now + REPORT_INTERVAL * (0.5 + doors.random.integer(1000) / 1000);
  }

  function block(now: number): ReportBlock | undefined {
    if (reception.received === 0) return undefined;
    return {
      ssrc: peerSsrc,
      fraction: reception.reportFraction(),
      lost: reception.lost,
      highest: reception.highest,
      jitter: reception.jitter,
      lastSenderReport: peerReport,
      delaySinceLast: peerReport === 0 ? 0 : Math.round(((now - peerReportAt) * 65_536) / 1000),
    };
  }

  return {
    aim(toAddress, toPort, now) {
      address = toAddress;
      port = toPort;
      if (dueAt === Number.POSITIVE_INFINITY) schedule(now);
    },
    hear(ssrc) {
      peerSsrc = ssrc;
    },
    report(now, bye) {
      if (!bye && now < dueAt) return;
      schedule(now);
      if (address === '' || address === '0.0.0.0' || address === '::') return;
      // Section 6.3.7: who never sent anything says no BYE.
      if (bye && !spoke && writer.packets === 0) return;
      const wallMilliseconds = doors.clock.now();
      // Section 6.4: a sender report when something was sent since the report before the last.
      const active = writer.packets > packetsBefore;
      packetsBefore = packetsAtLast;
      packetsAtLast = writer.packets;
      const sent = active
        ? {
            wallMilliseconds,
            timestamp: writer.timestampAt(now),
            packets: writer.packets,
            octets: writer.octets,
          }
        : undefined;
      if (active) lastSent = [middleOfNtp(wallMilliseconds), ...lastSent].slice(0, 4);
      spoke = true;
      const bytes = writeReport({ ssrc: writer.ssrc, name, sent, received: block(now), bye });
      socket.send(bytes, port, address);
      counters.reportsOut++;
    },
    receive(data, now) {
      allowance = Math.min(REPORTS_PER_SECOND, allowance + ((now - allowanceAt) * REPORTS_PER_SECOND) / 1000);
      allowanceAt = now;
      if (allowance < 1) {
        counters.dropped['report-flood']++;
        return;
      }
      allowance--;
      const report = readReport(data, writer.ssrc);
      if (report === undefined) {
        counters.dropped.malformed++;
        return;
      }
      counters.reportsIn++;
      if (report.senderReport !== undefined && report.ssrc === peerSsrc) {
        peerReport = report.senderReport;
        peerReportAt = now;
      }
      if (report.aboutUs === undefined) return;
      latest = report.aboutUs;
      if (!lastSent.includes(latest.lastSenderReport)) return;
      const passed = middleOfNtp(doors.clock.now()) - latest.lastSenderReport - latest.delaySinceLast;
      const milliseconds = ((passed | 0) * 1000) / 65_536;
      if (milliseconds >= 0 && milliseconds <= LONGEST_ROUND_TRIP) roundTrip = milliseconds;
    },
    quality() {
      return {
        remotePacketsLost: latest === undefined ? undefined : Math.max(0, latest.lost),
        // Past a minute it is no measurement.
        remoteJitter:
          latest === undefined ? undefined : Math.min(60_000, latest.jitter / SAMPLES_PER_MILLISECOND),
        roundTrip,
      };
    },
  };
}
