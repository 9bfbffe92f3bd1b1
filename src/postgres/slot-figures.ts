import type { SlotFigures } from '../core/health-figures';
import type { SlotState } from './slot';

/** A slot as its health is judged. @param slot - null: there is none of that name */
export function slotFigures(name: string, slot: SlotState | null): Omit<SlotFigures, 'idleSinceMs'> {
	return {
		name,
		isThere: slot !== null,
		isActive: slot !== null && slot.activePid !== null,
		walStatus: slot?.walStatus ?? null,
		lostBecause: slot?.invalidationReason ?? null,
		retainedBytes: slot?.retainedWalBytes ?? null,
		safeBytes: slot?.safeWalBytes ?? null,
	};
}
