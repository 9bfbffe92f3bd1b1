export const OPERATIONS = ['dropSlots', 'explain', 'freeze', 'link', 'listSlots', 'readAgain', 'readTables', 'rollBack', 'state', 'unfreeze', 'unlink'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Those that ask a system's database. */
export const WITH_DATABASE = ['dropSlots', 'listSlots', 'readAgain', 'readTables'] as const satisfies readonly Operation[];
