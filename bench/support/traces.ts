/**
 * Ten marketplaces of ten days, made by chance from fixed seeds: who has a job with whom, from when to when. An agent
 * is whoever meets new people all day (driver, courier, plumber, the desk of a hotel, a seller, a doctor).
 *
 * All but two are made job by job: an agent works some days, in a shift, and takes one job (or batch) after another; a
 * session is opened when the job is assigned and closed a while after it is done. What falls on whom is not a Poisson
 * stream: shifts, days off, batches and rush hours are in it.
 */
import { type Chance, chanceFrom } from './chance.ts';

export interface Trace {
  readonly name: string;
  readonly days: number;
  readonly agents: number;
  readonly customers: number;
  readonly sessions: number;
  /** Seconds from the beginning, rising. Agents and customers are numbered from 0. */
  readonly opened: Float64Array;
  readonly closed: Float64Array;
  readonly agent: Int32Array;
  readonly customer: Int32Array;
}

const DAYS = 10;
const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

export const traceNames = (): readonly string[] => makers.map(([name]) => name);

/**
 * `scale`: so many times as many agents and customers; each does as much as ever. `series`: other ten days of the same
 * people: what an agent is used to (hours, days off, how busy) is what it was.
 */
export function makeTrace(name: string, scale = 1, series = 0): Trace {
  const index = makers.findIndex(([known]) => known === name);
  const make = makers[index]?.[1];
  if (make === undefined) throw new Error(`there is no trace called ${name}`);
  const scaled = (count: number) => Math.max(2, Math.round(count * scale));
  const seed = 20_261_127 + 1_000_003 * index;
  const habits: number[] = [];
  const first = make(chanceFrom(seed), scaled, (draw) => {
    const habit = draw();
    habits.push(habit);
    return habit;
  });
  if (series === 0) return sorted(name, first);
  let next = 0;
  return sorted(
    name,
    make(chanceFrom(seed + 7_919 * series), scaled, () => habits[next++] ?? 0),
  );
}

interface Job {
  readonly opened: number;
  readonly closed: number;
  readonly agent: number;
  readonly customer: number;
}
interface Jobs {
  readonly agents: number;
  readonly customers: number;
  readonly jobs: readonly Job[];
}
/** Draws what is usual for somebody, once and for all. */
type Keep = (draw: () => number) => number;
type Make = (chance: Chance, scaled: (count: number) => number, keep: Keep) => Jobs;

const makers: readonly (readonly [name: string, make: Make])[] = [
  ['ride hailing', (chance, scaled, keep) => rides(chance, scaled, keep, () => 1)],
  [
    'ride hailing, surge days',
    (chance, scaled, keep) => rides(chance, scaled, keep, (day) => (day === 4 || day === 5 ? 1.5 : 1)),
  ],
  [
    'food delivery, one by one',
    (chance, scaled, keep) =>
      shifts(chance, keep, {
        ...{ agents: scaled(400), customers: scaled(60_000), regulars: 0.25, workDays: 0.75 },
        ...{ shift: [4, 10], batch: () => 1, minutes: [22, 45], idle: [1, 14], grace: 20 },
      }),
  ],
  [
    'food delivery, batches to 5',
    (chance, scaled, keep) =>
      shifts(chance, keep, {
        ...{ agents: scaled(400), customers: scaled(90_000), regulars: 0.18, workDays: 0.75 },
        ...{ shift: [4, 11], batch: () => 1 + Math.min(chance.below(5), chance.below(6)), minutes: [30, 60] },
        ...{ idle: [1, 12], grace: 60 },
      }),
  ],
  ['parcels, 100–200 stops a day', parcels],
  [
    'quick-commerce',
    (chance, scaled, keep) =>
      shifts(chance, keep, {
        ...{ agents: scaled(350), customers: scaled(45_000), regulars: 0.15, workDays: 0.8 },
        ...{
          shift: [5, 11],
          batch: () => (chance.next() < 0.2 ? 2 : 1),
          minutes: [9, 22],
          idle: [0, 9],
          grace: 15,
        },
      }),
  ],
  ['home services', homeServices],
  ['hotel', hotel],
  ['classifieds, to 500 buyers', classifieds],
  ['telehealth', telehealth],
];

function rides(
  chance: Chance,
  scaled: (count: number) => number,
  keep: Keep,
  demand: (day: number) => number,
): Jobs {
  return shifts(chance, keep, {
    ...{ agents: scaled(600), customers: scaled(90_000), regulars: 0.08, workDays: 0.75, shift: [4, 11.5] },
    ...{ batch: () => 1, minutes: [9, 24], idle: [0, 7], grace: 20, demand },
  });
}

interface Shifts {
  readonly agents: number;
  readonly customers: number;
  /** How unlike customers are: the exponent of their Zipf law. */
  readonly regulars: number;
  /** Share of the days on which an agent works. */
  readonly workDays: number;
  /** Hours; each agent has a usual length between these. */
  readonly shift: readonly [number, number];
  /** Jobs that are taken at once. */
  readonly batch: () => number;
  /** From the first job of a batch to its end. */
  readonly minutes: readonly [number, number];
  /** Minutes between batches. */
  readonly idle: readonly [number, number];
  /** Minutes for which a session stays open after the job: a wrong address, a lost thing. */
  readonly grace: number;
  readonly demand?: (day: number) => number;
}

function shifts(chance: Chance, keep: Keep, of: Shifts): Jobs {
  const jobs: Job[] = [];
  const customerOf = drawer(of.customers, of.regulars, chance);
  for (let agent = 0; agent < of.agents; agent++) {
    const usual = keep(() => chance.between(...of.shift)) * HOUR;
    const usualStart = keep(() => chance.between(6, 13)) * HOUR;
    for (let day = 0; day < DAYS; day++) {
      if (chance.next() > of.workDays) continue;
      const demand = of.demand?.(day) ?? 1;
      let now = day * DAY + usualStart + chance.normal(0, HOUR / 2);
      const end = now + usual * chance.between(0.85, 1.15) * Math.sqrt(demand);
      while (now < end) {
        const batch = of.batch();
        const busy = chance.between(...of.minutes) * MINUTE;
        // The customer of a return trip, now and then; otherwise somebody new.
        for (let item = 0; item < batch; item++) {
          const done = now + busy * (batch === 1 ? 1 : chance.between(0.5, 1));
          const customer = customerOf();
          jobs.push({ opened: now, closed: done + of.grace * MINUTE, agent, customer });
          if (chance.next() < 0.02) {
            const again = done + chance.between(5, 60) * MINUTE;
            const other = chance.below(of.agents);
            jobs.push({ opened: again, closed: again + busy + of.grace * MINUTE, agent: other, customer });
          }
        }
        now += busy + (chance.between(...of.idle) * MINUTE) / demand;
      }
    }
  }
  return { agents: of.agents, customers: of.customers, jobs };
}

/** All stops of a day are opened in the morning; each is closed an hour after it was served, the last ones at night. */
function parcels(chance: Chance, scaled: (count: number) => number, keep: Keep): Jobs {
  const agents = scaled(115);
  const customers = scaled(55_000);
  const jobs: Job[] = [];
  const customerOf = drawer(customers, 0.06, chance);
  for (let agent = 0; agent < agents; agent++) {
    const usual = keep(() => chance.between(100, 200));
    const dayOff = keep(() => chance.below(7));
    for (let day = 0; day < DAYS; day++) {
      if (day % 7 === dayOff) continue;
      const stops = Math.round(Math.min(200, Math.max(100, chance.normal(usual, 8))));
      const loaded = day * DAY + 6.5 * HOUR;
      let now = loaded + chance.between(60, 120) * MINUTE;
      let customer = customerOf();
      for (let stop = 0; stop < stops; stop++) {
        now += chance.exponential((9 * HOUR) / stops);
        // One in twenty is a second parcel for the same door.
        if (chance.next() > 0.05) customer = customerOf();
        const closed = Math.max(now + HOUR, loaded + 11 * HOUR);
        jobs.push({ opened: loaded + stop, closed, agent, customer });
      }
    }
  }
  return { agents, customers, jobs };
}

/** Booked a day or two ahead, closed some hours after the visit. */
function homeServices(chance: Chance, scaled: (count: number) => number, keep: Keep): Jobs {
  const agents = scaled(620);
  const customers = scaled(9_500);
  const jobs: Job[] = [];
  const customerOf = drawer(customers, 0.1, chance);
  for (let agent = 0; agent < agents; agent++) {
    const usual = keep(() => chance.between(2, 3.4));
    for (let day = 0; day < DAYS; day++) {
      if (chance.next() > 0.62) continue;
      const visits = Math.min(4, Math.round(chance.normal(usual, 0.6)));
      for (let visit = 0; visit < visits; visit++) {
        const at = day * DAY + (8 + visit * 2.5) * HOUR + chance.normal(0, 20 * MINUTE);
        const ahead = Math.min(at, chance.between(4, 36) * HOUR);
        jobs.push({
          opened: at - ahead,
          closed: at + chance.between(2, 4) * HOUR,
          agent,
          customer: customerOf(),
        });
      }
    }
  }
  return { agents, customers, jobs };
}

/** A few desks, each with very many guests: from a day before they come to a few hours after they have gone. */
function hotel(chance: Chance, scaled: (count: number) => number, keep: Keep): Jobs {
  const agents = Math.max(2, scaled(30));
  const customers = scaled(40_000);
  const jobs: Job[] = [];
  const customerOf = drawer(customers, 0.05, chance);
  for (let agent = 0; agent < agents; agent++) {
    const arrivals = keep(() => chance.between(20, 90));
    for (let day = -4; day < DAYS; day++) {
      const guests = chance.poisson(arrivals * (day % 7 >= 5 ? 1.3 : 1));
      for (let guest = 0; guest < guests; guest++) {
        const arrives = (day + 1) * DAY + chance.normal(15, 3) * HOUR;
        const nights = 1 + Math.min(13, Math.floor(chance.exponential(2)));
        const opened = arrives - chance.between(2, 24) * HOUR;
        if (opened < 0 || opened >= DAYS * DAY) continue;
        jobs.push({ opened, closed: arrives + nights * DAY, agent, customer: customerOf() });
      }
    }
  }
  return { agents, customers, jobs };
}

/** Sellers with one to five hundred buyers in ten days; a buyer's session lives for days. */
function classifieds(chance: Chance, scaled: (count: number) => number): Jobs {
  const agents = scaled(3_000);
  const customers = scaled(60_000);
  const jobs: Job[] = [];
  const customerOf = drawer(customers, 0, chance);
  for (let agent = 0; agent < agents; agent++) {
    const buyers = Math.max(1, Math.round(500 / (agent + 1) ** 0.55));
    for (let buyer = 0; buyer < buyers; buyer++) {
      const opened = chance.next() * DAYS * DAY;
      const closed = opened + Math.min(14 * DAY, chance.exponential(5 * DAY));
      jobs.push({ opened, closed, agent, customer: customerOf() });
    }
  }
  return { agents, customers, jobs };
}

/** Booked hours ahead, closed two hours after the consultation, for a question about the prescription. */
function telehealth(chance: Chance, scaled: (count: number) => number, keep: Keep): Jobs {
  const agents = scaled(200);
  const customers = scaled(30_000);
  const jobs: Job[] = [];
  const customerOf = drawer(customers, 0.15, chance);
  for (let agent = 0; agent < agents; agent++) {
    const minutes = keep(() => chance.between(9, 20));
    for (let day = 0; day < DAYS; day++) {
      if (day % 7 >= 5 || chance.next() > 0.9) continue;
      const end = day * DAY + chance.between(13, 18) * HOUR;
      for (let now = day * DAY + 9 * HOUR; now < end; now += chance.normal(minutes, 2) * MINUTE) {
        if (chance.next() > 0.85) continue;
        const ahead = Math.min(now, chance.exponential(5 * HOUR));
        jobs.push({ opened: now - ahead, closed: now + 2.25 * HOUR, agent, customer: customerOf() });
      }
    }
  }
  return { agents, customers, jobs };
}

/** Draws customers by a Zipf law, by the inverse of its continuous form; exponent below 1. */
function drawer(customers: number, exponent: number, chance: Chance): () => number {
  const power = 1 / (1 - exponent);
  return () => Math.min(customers - 1, Math.floor(customers * chance.next() ** power));
}

function sorted(name: string, { agents, customers, jobs }: Jobs): Trace {
  const order = [...jobs].sort((one, other) => one.opened - other.opened);
  return {
    ...{ name, days: DAYS, agents, customers, sessions: order.length },
    opened: Float64Array.from(order, (one) => one.opened),
    closed: Float64Array.from(order, (one) => one.closed),
    agent: Int32Array.from(order, (one) => one.agent),
    customer: Int32Array.from(order, (one) => one.customer),
  };
}
