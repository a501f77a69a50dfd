import { checkDuration } from './durations.ts';
import { type Demand, PlanError, type PlanSettings, type RoleDemand } from './types.ts';

const MOST_ROLES = 10;
const LONGEST_COOLDOWN = 315_360_000;
/** A party with more sessions than this in its window is beyond what the arithmetic is meant for. */
const MOST_PER_HOUR = 10_000_000;

export function checkDemand(demand: Demand): void {
  checkSettings(demand);
  const { sessionsPerHour, dailyProfile, roles } = demand;
  if (!(sessionsPerHour > 0 && sessionsPerHour <= MOST_PER_HOUR)) {
    throw new PlanError('/sessionsPerHour', 'Sessions an hour are a number above 0, at most 10,000,000.');
  }
  if (dailyProfile !== undefined) {
    const fine = dailyProfile.length === 24 && dailyProfile.every((one) => one >= 0 && one <= 1e9);
    if (!fine || dailyProfile.every((one) => one === 0)) {
      throw new PlanError('/dailyProfile', 'A daily profile is 24 weights of 0 or more, not all of them 0.');
    }
  }
  checkDuration(demand.duration, '/duration');
  if (roles.length === 0 || roles.length > MOST_ROLES) {
    throw new PlanError('/roles', `A demand has 1 to ${MOST_ROLES} roles.`);
  }
  if (new Set(roles.map(({ role }) => role)).size < roles.length) {
    throw new PlanError('/roles', 'A role is named twice.');
  }
  roles.forEach(checkRole);
}

export function checkSettings(settings: PlanSettings): void {
  const { horizonDays = 30, failureProbability = 0.001, pricePerNumber = 0 } = settings;
  if (!(horizonDays > 0 && horizonDays <= 3_660)) {
    throw new PlanError('/horizonDays', 'The horizon is more than 0 and at most 3,660 days.');
  }
  if (!(failureProbability >= 1e-12 && failureProbability <= 0.5)) {
    throw new PlanError('/failureProbability', 'The chance of a failure lies between 1e-12 and 0.5.');
  }
  if (!(pricePerNumber >= 0 && pricePerNumber <= 1e9)) {
    throw new PlanError('/pricePerNumber', 'A price is 0 or more.');
  }
}

export function checkCooldown(seconds: number | undefined, pointer: string): void {
  if (seconds !== undefined && !(seconds >= 0 && seconds <= LONGEST_COOLDOWN)) {
    throw new PlanError(pointer, 'A cooldown lies between 0 seconds and ten years.');
  }
}

function checkRole(role: RoleDemand, index: number): void {
  const { parties, perSession = 1, spread } = role;
  if (!isRoleName(role.role)) {
    throw new PlanError(
      `/roles/${index}/role`,
      'A role is a lower-case word of 1 to 32 letters, digits, hyphens or underscores that begins with a letter.',
    );
  }
  if (!(Number.isInteger(parties) && parties >= 1 && parties <= 1e9)) {
    throw new PlanError(`/roles/${index}/parties`, 'A role has 1 to 1,000,000,000 parties.');
  }
  if (!(perSession > 0 && perSession <= 10)) {
    throw new PlanError(`/roles/${index}/perSession`, 'A session has more than 0 and at most 10 of a role.');
  }
  checkCooldown(role.cooldownSeconds, `/roles/${index}/cooldownSeconds`);
  if (spread.kind === 'groups') {
    const counted = spread.groups.reduce((sum, group) => sum + group.parties, 0);
    if (counted !== parties) {
      throw new PlanError(
        `/roles/${index}/spread/groups`,
        'The groups must have as many parties as the role.',
      );
    }
  }
}

/** As roles of sessions are named. */
export function isRoleName(name: string): boolean {
  return /^[a-z][a-z0-9_-]{0,31}$/.test(name);
}
