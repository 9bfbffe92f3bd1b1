export const OPERATIONS = ['dropSlots', 'explain', 'freeze', 'link', 'listSlots', 'rollBack', 'state', 'unfreeze', 'unlink'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Those that ask a system's database. */
export const WITH_DATABASE = ['dropSlots', 'listSlots'] as const satisfies readonly Operation[];
