import type { ChangeEvent } from '../../src/core/change-event';
import type { EventOrigin } from '../../src/postgres/event-envelope';
import type { SourceTransaction } from '../../src/postgres/source-transaction';
import { takeEvents } from '../../src/postgres/take-events';

/** The events of a transaction that is looked at again. */
export const transactionEvents = (transaction: SourceTransaction, origin: EventOrigin): ChangeEvent[] => takeEvents({ ...transaction, changes: [...transaction.changes] }, origin);
