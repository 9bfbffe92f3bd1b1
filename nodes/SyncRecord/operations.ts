export const OPERATIONS = ['explain', 'freeze', 'link', 'rollBack', 'state', 'unfreeze', 'unlink'] as const;
export type Operation = (typeof OPERATIONS)[number];
