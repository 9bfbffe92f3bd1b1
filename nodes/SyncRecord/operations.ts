export const OPERATIONS = ['explain', 'freeze', 'link', 'state', 'unfreeze', 'unlink'] as const;
export type Operation = (typeof OPERATIONS)[number];
