import { own } from '../core/own';
import { html, Html, query } from './html';
import { STYLE } from './style';

/** What is the same on every page. */
export interface Frame {
	readonly policy: string;
	/** The policy's mode, "live" and so on. */
	readonly mode: string;
	readonly person: string;
	/** May look, and decide nothing. */
	readonly isReader: boolean;
}

export interface Page {
	readonly title: string;
	/** Which entry of the navigation it belongs to. */
	readonly tab: Tab | null;
	readonly body: Html;
}

export type Tab = keyof typeof TABS;

const TABS = { reviews: 'Reviews', records: 'Records', health: 'Health', runs: 'Runs', policy: 'Policy' } as const;

/** A whole document. It needs no script, and loads nothing. */
export function documentOf({ policy, mode, person, isReader }: Frame, { title, tab, body }: Page): string {
	const tabOf = (name: string, label: string): Html => html`<a href="${query({ view: name })}"${tab === name ? html` aria-current="page"` : null}>${label}</a>`;
	return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<title>${title} – ${policy}</title><style>${STYLE_SHEET}</style></head>
<body><a class="skip" href="#main">Skip to the content</a>
<header><strong>${policy}</strong> <span class="chip">${own(MODES, mode) ?? mode}</span><nav aria-label="Pages">${Object.entries(TABS).map(([name, label]) => tabOf(name, label))}</nav><span class="who">${person}${isReader ? ', may look only' : ''}</span></header>
<main id="main"><h1>${title}</h1>${body}</main></body></html>`.text;
}

const STYLE_SHEET = new Html(STYLE);

const MODES: Readonly<Record<string, string>> = { live: 'Live', shadow: 'Shadow: nothing is written', stopped: 'Stopped', 'first-contact': 'First contact' };

/** A page that says one thing. */
export function notice(tone: 'good' | 'bad' | 'plain', text: string, then: Html | null = null): Html {
	return html`<div class="card note ${tone}" role="status"><p>${text}</p>${then}</div>`;
}
