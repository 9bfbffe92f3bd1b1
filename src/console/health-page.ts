import type { Check, CheckLevel, Health } from '../core/health';
import { html, type Html } from './html';
import type { Page } from './layout';
import { age, type Reader } from './moment';
import { plot, type Plot, type Span } from './plot';

export interface HealthModel {
	readonly health: Health;
	readonly plots: readonly Plot[];
	readonly span: Span;
	/** When somebody last measured; null: nobody ever has. */
	readonly measuredMs: number | null;
}

const LEVELS: Readonly<Record<CheckLevel, string>> = { healthy: 'Good', unknown: 'Not known', warning: 'Warning', critical: 'Critical' };
const TONES = { healthy: 'good', warning: 'plain', critical: 'bad' } as const;

/** Both directions at a glance: what is not good first, with what to do about it, then the figures over time. */
export function healthPage({ health, plots, span, measuredMs }: HealthModel, reader: Reader): Page {
	const { level, summary, checks } = health;
	const bad = checks.filter((check) => check.level !== 'healthy');
	const good = checks.filter((check) => check.level === 'healthy');
	const measured = measuredMs === null ? html`Nobody has measured the databases yet: let a <b>Sync Monitor</b> run every minute (template <i>alerts</i>).` : html`Databases measured ${age(measuredMs, reader)} ago.`;
	const body = html`<div class="card note ${TONES[level]}" role="status"><p><b>${summary}</b></p><p class="soft">${measured}</p></div>
${bad.length === 0 ? null : html`<section class="card wide"><h2>To look at</h2>${table(bad, true)}</section>`}
<section class="card"><h2>Over time</h2><div class="plots">${plots.map((one) => plot(one, span))}</div></section>
<section class="card wide"><h2>Good</h2>${good.length === 0 ? html`<p>Nothing is known to be good.</p>` : table(good, false)}</section>`;
	return { title: 'Health', tab: 'health', body };
}

/** @param isToDo - says where to read what to do */
function table(checks: readonly Check[], isToDo: boolean): Html {
	const head = isToDo ? html`<th scope="col">What to do</th>` : null;
	return html`<table class="stack"><thead><tr><th scope="col">State</th><th scope="col">System</th><th scope="col">What is so</th>${head}</tr></thead><tbody>${checks.map((check) => row(check, isToDo))}</tbody></table>`;
}

function row({ level, system, sentence, runbook }: Check, isToDo: boolean): Html {
	return html`<tr><td><span class="chip ${level}">${LEVELS[level]}</span></td><td data-label="System">${system ?? 'all'}</td><td>${sentence}</td>${isToDo ? html`<td data-label="What to do"><span class="soft">${runbook}</span></td>` : null}</tr>`;
}
