import type { IDataObject } from 'n8n-workflow';
import { stringify } from 'yaml';

import { sheetAsHtml } from '../../src/console/sheet-page';
import { SyncError } from '../../src/core/errors';
import { parsePolicy } from '../../src/core/parse-policy';
import { type Policy, policyHash } from '../../src/core/policy';
import { type SignOffSheet, signOffSheet } from '../../src/core/sign-off';
import { HASH_PREFIX, sheetAsCsv } from '../../src/core/sign-off-csv';
import { importSheet } from '../../src/core/sign-off-import';
import { sheetAsMarkdown } from '../../src/core/sign-off-markdown';
import { fieldTitle } from '../../src/core/sign-off-words';
import { inEffect, isSigned } from '../../src/store/in-effect';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { PublishedPolicy, SyncStore } from '../../src/store/sync-store';
import { nextStep } from './publish';
import type { SHEET_FORMATS } from './sign-off-properties';

/** The version in force of a policy by its name, or a document. */
export type Subject = { readonly policy: string } | { readonly document: string };

interface Looked {
	readonly policy: Policy;
	/** Null: the document is not what is in force, or was not looked up. */
	readonly published: PublishedPolicy | null;
}

/** @throws SyncError POLICY_UNPUBLISHED, POLICY_INVALID */
export async function lookAt(store: Pick<SyncStore, 'load'>, subject: Subject): Promise<Looked> {
	if ('policy' in subject) {
		const published = requirePublished(await store.load(subject), subject.policy);
		return { policy: policyInForce(published).policy, published };
	}
	const policy = parsePolicy(subject.document);
	const { policy: published } = await store.load({ policy: policy.name });
	return { policy, published: published?.hash === policyHash(policy) ? published : null };
}

type SheetFormat = (typeof SHEET_FORMATS)[number];

const RENDERED: Readonly<Record<SheetFormat, (sheet: SignOffSheet) => string>> = {
	markdown: sheetAsMarkdown,
	html: sheetAsHtml,
	csv: (sheet) => sheetAsCsv(sheet),
	csvSemicolon: (sheet) => sheetAsCsv(sheet, ';'),
};

/** The sheet as the text of one item. */
export async function makeSheet(store: Pick<SyncStore, 'load'>, subject: Subject, format: SheetFormat): Promise<IDataObject> {
	const { policy, published } = await lookAt(store, subject);
	const hash = policyHash(policy);
	const signatures = (published?.signatures ?? []).filter((one) => one.hash === hash);
	const sheet = signOffSheet(policy, { version: published?.version ?? null, signatures });
	return {
		policy: policy.name,
		version: sheet.version,
		hash: `${HASH_PREFIX}${hash}`,
		signed: signatures.length > 0,
		signatures: signatures.map(({ by, atMs }) => ({ by, at: new Date(atMs).toISOString() })),
		format,
		sheet: RENDERED[format](sheet),
	};
}

/** The policy that an edited sheet says, for Lint, What-If and Publish. */
export async function importEdited(store: Pick<SyncStore, 'load'>, subject: Subject, text: string): Promise<IDataObject> {
	const { policy: before } = await lookAt(store, subject);
	const { policy, changes } = importSheet(before, text);
	const isChanged = policyHash(policy) !== policyHash(before);
	return {
		policy: policy.name,
		changed: isChanged,
		changes: changes.map((change) => ({ ...change, field: fieldTitle(change.field) })),
		hash: `${HASH_PREFIX}${policyHash(policy)}`,
		document: stringify(policy.document),
		nextStep: isChanged
			? 'Look at the changes, give "document" to Sync Policy: What-If to see which past decisions would differ, then to Publish.'
			: 'Nothing was changed in the sheet.',
	};
}

/** @throws SyncError INVALID_SETTING when the hash is none; POLICY_UNPUBLISHED */
export async function signPolicy(
	store: Pick<SyncStore, 'sign'>,
	{ policy, hash: given, by }: { policy: string; hash: string; by: string },
): Promise<IDataObject> {
	const hash = given.toLowerCase().replace(HASH_PREFIX, '');
	if (!/^[0-9a-f]{64}$/.test(hash)) {
		throw new SyncError('INVALID_SETTING', `"Hash" must be the hash on the sign-off sheet, ${HASH_PREFIX} and 64 digits, not "${given}"`);
	}
	const published = await store.sign(policy, hash, by);
	const { version, hash: inForce } = published;
	const isInForce = hash === inForce;
	return {
		policy,
		version,
		mode: inEffect(published).mode,
		hash: `${HASH_PREFIX}${hash}`,
		by,
		inForce: isInForce,
		signed: isSigned(published),
		nextStep: isInForce
			? nextStep(published)
			: `What was signed is not version ${version}, which is in force. If it is a version still to be published, publish it; if not, sign the sheet of the version in force.`,
	};
}
