import type { Json } from '../core/canonical-json';
import type { Effect } from '../core/preview-choice';
import type { StoredReview } from '../core/review';
import type { Told } from '../core/told';

/** An item as its page shows it; sensitive values are masked already. */
export interface ReviewModel {
	readonly review: StoredReview;
	/** Null: the item is about no record of the sync. */
	readonly record: ShownRecord | null;
	/** What another workflow has pushed. */
	readonly payload: Json | null;
	/** What may be done; empty when it is closed, or the person may look only. */
	readonly offers: readonly Offer[];
	/** How to go on where no button helps. */
	readonly advice: string | null;
	/** Masked values can be shown. */
	readonly canReveal: boolean;
	/** The key of its forms. */
	readonly key: string;
	readonly history: readonly Told[];
}

export interface ShownRecord {
	readonly link: string;
	readonly entity: string;
	/** By system, "id 7". */
	readonly keys: Readonly<Record<string, string>>;
	readonly systems: readonly string[];
	readonly fields: readonly ShownField[];
	/** Systems to which a write is under way: what comes later waits for it. */
	readonly writing: readonly string[];
}

export interface ShownField {
	readonly name: string;
	/** "owner crm", "union": who decides by rule. */
	readonly rule: string;
	readonly isSensitive: boolean;
	/** By system; absent: it has never sent the field. */
	readonly values: Readonly<Record<string, ShownVersion>>;
	readonly merged: Json | undefined;
	/** Who has frozen it by hand, and why; absent: nobody. */
	readonly held?: { readonly by: string; readonly reason: string };
}

export interface ShownVersion {
	readonly value: Json;
	/** What it was when the systems last agreed; absent: they never did. */
	readonly base?: Json;
	/** Systems whose present value whoever wrote this had seen; see `View.vector`. */
	readonly hadSeen: readonly string[];
	/** Systems whose present value they had not seen. */
	readonly hadNotSeen: readonly string[];
	readonly unreadable?: string;
}

export type OfferKind = 'apply' | 'approve' | 'reject' | 'dismiss' | 'retry';

/** A button with what it would do. */
export interface Offer {
	readonly kind: OfferKind;
	/** For `apply`. */
	readonly system: string | null;
	readonly effects: readonly Effect[];
}
