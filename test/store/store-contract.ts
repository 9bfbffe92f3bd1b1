import { describeBuckets } from './contract/bucket-contract';
import { describeClaims } from './contract/claim-contract';
import { describeCommits } from './contract/commit-contract';
import { describeCounts } from './contract/count-contract';
import { describeDigests } from './contract/digest-contract';
import { describeDueLinks } from './contract/due-contract';
import { describeExactness } from './contract/exactness-contract';
import { describeFigures } from './contract/figures-contract';
import { describeIdentities } from './contract/identity-contract';
import { describePolicies } from './contract/policy-contract';
import { describeReviewsAndJournal } from './contract/review-contract';
import { describeDates } from './contract/dates-contract';
import { describeSpreading } from './contract/spread-contract';
import type { OpenStore } from './contract/store-under-test';
import { describeStreams } from './contract/stream-contract';

/**
 * What every sync store must do, run against each implementation. Behaviour the nodes rely on
 * belongs here; only what is peculiar to one database goes in that store's own test.
 */
export function describeStoreContract(name: string, open: OpenStore): void {
	describe(`${name} keeps the store contract`, () => {
		describeCommits(open);
		describeIdentities(open);
		describeCounts(open);
		describeStreams(open);
		describeDueLinks(open);
		describePolicies(open);
		describeClaims(open);
		describeBuckets(open);
		describeReviewsAndJournal(open);
		describeSpreading(open);
		describeDates(open);
		describeDigests(open);
		describeFigures(open);
		describeExactness(open);
	});
}
