import type { Check, CheckLevel, CheckName, Unit } from './health';
import { bytesText, check, durationText, inSeconds, levelAbove, levelBelow } from './health-check';
import type { LagFigures, Measurement, SlotFigures, SystemFigures } from './health-figures';
import { DEFAULT_THRESHOLDS, type Thresholds } from './health-thresholds';

/** Lag and slot of one system. A system behind an API has neither. Pure. */
export function systemChecks({ system, hasLog, measured }: SystemFigures, nowMs: number, thresholds: Thresholds): Check[] {
	if (!hasLog) return [];
	const missing = missingBecause(measured, nowMs, thresholds);
	if (missing !== null || measured === null) {
		const { reason, level } = missing ?? NEVER;
		const unmeasured = (name: CheckName, unit: Unit, what: string): Check =>
			check(name, { system, level, value: null, unit, sentence: `${what} of ${system} ${reason}.` });
		return [unmeasured('lag', 'seconds', 'The lag'), unmeasured('slot-state', 'state', 'The replication slot')];
	}
	return [
		...(measured.lag ? lagChecks(system, measured.lag, { nowMs, thresholds }) : []),
		...(measured.slot ? slotHealth(system, measured.slot, nowMs, thresholds) : []),
	];
}

interface Missing {
	readonly reason: string;
	readonly level: CheckLevel;
}

const NEVER: Missing = { reason: 'has never been measured: put a Sync Monitor node (Measure System) for it before Check Health', level: 'unknown' };

function missingBecause(measured: Measurement | null, nowMs: number, { staleMs, unmeasuredMs }: Thresholds): Missing | null {
	if (measured === null) return NEVER;
	const { failure, atMs, lastGoodMs } = measured;
	const isStale = nowMs - atMs > staleMs;
	const isWhole = failure === null && measured.lag !== null && measured.slot !== null;
	if (!isStale && isWhole) return null;
	const level = lastGoodMs !== null && nowMs - lastGoodMs > unmeasuredMs ? 'critical' : 'unknown';
	if (isStale) return { reason: `was last measured ${durationText(nowMs - atMs)} ago: see whether the workflow with Sync Monitor (Measure System) runs`, level };
	return { reason: `could not be measured: ${failure ?? 'the trigger has not registered its stream'}`, level };
}

interface Circumstances {
	readonly nowMs: number;
	readonly thresholds: Thresholds;
}

function lagChecks(system: string, { ms, open, bytes }: LagFigures, { nowMs, thresholds }: Circumstances): Check[] {
	const lagMs = open === null ? ms : Math.max(ms, nowMs - open.sinceMs);
	const level = levelAbove(lagMs, thresholds.lagMs);
	const said = open === null ? `Changes of ${system} are observed after ${durationText(lagMs)}.` : `Nothing that was changed in ${system} in the last ${durationText(lagMs)} has been observed.`;
	return [
		check('lag', { system, level, value: lagMs / 1_000, unit: 'seconds', limits: inSeconds(thresholds.lagMs), sentence: said }),
		check('lag-bytes', {
			system,
			level: levelAbove(bytes, thresholds.lagBytes),
			value: bytes,
			unit: 'bytes',
			limits: thresholds.lagBytes,
			sentence: `${bytesText(bytes)} of the log of ${system} have not been observed.`,
		}),
	];
}

/** How one slot is doing. */
export function slotHealth(system: string, slot: SlotFigures, nowMs: number, thresholds: Thresholds = DEFAULT_THRESHOLDS): Check[] {
	const circumstances = { nowMs, thresholds };
	const state = slotState(system, slot, circumstances);
	if (!slot.isThere) return [state];
	return [state, ...slotBytes(system, slot, circumstances.thresholds), ...slotRoom(system, slot, circumstances.thresholds)];
}

/** In a state: how bad it is, 0 to 3. */
function slotState(system: string, slot: SlotFigures, { nowMs, thresholds }: Circumstances): Check {
	const { level, value, sentence } = stateOf(system, slot, { nowMs, thresholds });
	return check('slot-state', { system, level, value, unit: 'state', limits: { warning: 1, critical: 2 }, sentence });
}

type State = Pick<Check, 'level' | 'value' | 'sentence'>;

function stateOf(system: string, slot: SlotFigures, { nowMs, thresholds }: Circumstances): State {
	const { name, isThere, lostBecause, walStatus, isActive, idleSinceMs } = slot;
	if (!isThere) return { level: 'critical', value: 3, sentence: `The replication slot "${name}" of ${system} is gone: changes may be missing.` };
	if (lostBecause !== null || walStatus === 'lost') {
		return { level: 'critical', value: 3, sentence: `The server of ${system} has given up the replication slot "${name}" (${lostBecause ?? 'its log was removed'}): changes are missing.` };
	}
	if (walStatus === 'unreserved') {
		return { level: 'critical', value: 2, sentence: `The server of ${system} may remove log that the replication slot "${name}" needs at any moment: changes would be missing.` };
	}
	if (isActive) return { level: 'healthy', value: 0, sentence: `The replication slot "${name}" of ${system} is being read.` };
	const idleMs = idleSinceMs === null ? 0 : nowMs - idleSinceMs;
	const forHowLong = idleMs === 0 ? '' : ` for ${durationText(idleMs)}`;
	const level = idleMs >= thresholds.unmeasuredMs ? 'critical' : 'warning';
	return { level, value: level === 'critical' ? 2 : 1, sentence: `Nobody has read from the replication slot "${name}" of ${system}${forHowLong}: its server keeps all log meanwhile.` };
}

function slotBytes(system: string, { retainedBytes, name }: SlotFigures, { slotBytes: limits }: Thresholds): Check[] {
	if (retainedBytes === null) return [];
	return [
		check('slot-bytes', {
			system,
			level: levelAbove(retainedBytes, limits),
			value: retainedBytes,
			unit: 'bytes',
			limits,
			sentence: `The replication slot "${name}" keeps ${bytesText(retainedBytes)} of log on the disk of ${system}.`,
		}),
	];
}

/** Where the server limits what slots keep, that limit may be lower than any number of bytes that was thought of as much. */
function slotRoom(system: string, { retainedBytes, safeBytes, name }: SlotFigures, { slotRoomPercent }: Thresholds): Check[] {
	if (safeBytes === null || retainedBytes === null) return [];
	const left = Math.max(safeBytes, 0);
	const percent = Math.round((100 * left) / Math.max(left + retainedBytes, 1));
	return [
		check('slot-room', {
			system,
			level: levelBelow(percent, slotRoomPercent),
			value: percent,
			unit: 'percent',
			limits: slotRoomPercent,
			sentence: `Of the log that the server of ${system} keeps for the replication slot "${name}" at most, ${percent} % are left: after ${bytesText(left)} more it is lost.`,
		}),
	];
}
