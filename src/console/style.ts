/** The one style sheet of all pages. Colours have a contrast of at least 4.5 : 1 on what they stand on, light and dark. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2330; --soft: #56606f; --line: #d8dde5; --page: #f6f7f9; --card: #fff; --accent: #0b5cad;
  --mark: #ffe9a8; --bad: #a3231f; --good: #1d6b36; --warn: #8a4b00; --chip: #eaeef4; --on-accent: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #a4aebc; --line: #39424f; --page: #14181e; --card: #1c222b; --accent: #7db8f5;
  --mark: #5d4a0c; --bad: #ff9c94; --good: #7fd49a; --warn: #f2bd76; --chip: #2a323e; --on-accent: #10151c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
a { color: var(--accent); }
a:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible, summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -999em; } .skip:focus { left: 1em; top: .5em; background: var(--card); padding: .5em; }
header { background: var(--card); border-bottom: 1px solid var(--line); padding: .6rem 1.2rem; display: flex; flex-wrap: wrap; gap: .4rem 1.4rem; align-items: baseline; }
header nav { display: flex; gap: 1.1rem; flex-wrap: wrap; } header nav a { text-decoration: none; padding: .15rem 0; }
header nav a[aria-current] { color: var(--ink); font-weight: 600; border-bottom: 2px solid var(--accent); }
header .who { margin-left: auto; color: var(--soft); font-size: .9rem; }
main { max-width: 76rem; margin: 0 auto; padding: 1.2rem; }
h1 { font-size: 1.35rem; margin: .2rem 0 .8rem; } h2 { font-size: 1.05rem; margin: 0 0 .6rem; } p { margin: .4rem 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem 1.1rem; margin: 0 0 1rem; }
.note { border-left: 4px solid var(--accent); } .note.bad { border-left-color: var(--bad); } .note.good { border-left-color: var(--good); }
.soft, .nothing { color: var(--soft); } .nothing { font-style: italic; } .system { font-weight: 600; }
.chip { display: inline-block; background: var(--chip); border-radius: 999px; padding: 0 .6rem; font-size: .85rem; white-space: nowrap; }
.chip.conflict, .chip.warning { color: var(--warn); } .chip.failure, .chip.critical { color: var(--bad); } .chip.healthy { color: var(--good); } .chip.unknown { color: var(--warn); } .chip.approval, .chip.identity { color: var(--accent); }
.value { font-family: ui-monospace, monospace; font-size: .92em; overflow-wrap: anywhere; white-space: pre-wrap; }
mark { background: var(--mark); color: inherit; border-radius: 2px; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; } caption { text-align: left; padding-bottom: .4rem; }
th { text-align: left; font-size: .85rem; color: var(--soft); font-weight: 600; } th, td { padding: .45rem .8rem .45rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
form { margin: 0; } .row { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; }
button, .button { font: inherit; border: 1px solid var(--line); background: var(--card); color: var(--ink); border-radius: 6px; padding: .4rem .9rem; cursor: pointer; text-decoration: none; }
button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
input[type=text], input[type=search], select { font: inherit; color: inherit; background: var(--page); border: 1px solid var(--soft); border-radius: 6px; padding: .35rem .5rem; max-width: 100%; }
.choices { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); } .choices .card { margin: 0; display: flex; flex-direction: column; gap: .6rem; } .choices form { margin-top: auto; }
ul.plain { list-style: none; margin: 0; padding: 0; } ul.plain li { padding: .15rem 0; }
ol.history { list-style: none; margin: 0; padding: 0; } ol.history li { display: grid; grid-template-columns: 9.5rem 1fr; gap: .2rem 1rem; padding: .4rem 0; border-bottom: 1px solid var(--line); } ol.history li:last-child { border: 0; }
ol.history time { color: var(--soft); } ol.history .rule, ol.history .write { color: var(--soft); } ol.history .warning { color: var(--warn); }
figure.plot { margin: 0; } .plots { display: grid; gap: 1.2rem; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); }
.plot svg { width: 100%; height: 6rem; display: block; border-bottom: 1px solid var(--line); } .plot .line { fill: none; stroke: var(--accent); stroke-width: 2; vector-effect: non-scaling-stroke; }
.plot circle.line { fill: var(--accent); } .plot line.warning { stroke: var(--warn); stroke-dasharray: 6 4; vector-effect: non-scaling-stroke; } .plot line.critical { stroke: var(--bad); stroke-dasharray: 2 3; vector-effect: non-scaling-stroke; }
.ends { justify-content: space-between; font-size: .8rem; } .diff .gone { color: var(--bad); } .diff .new { color: var(--good); } .pick { width: 1%; }
label { cursor: pointer; } dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: 0; } dt { color: var(--soft); } dd { margin: 0; }
@media (max-width: 40rem) { main { padding: .8rem; } ol.history li { grid-template-columns: 1fr; } header .who { margin-left: 0; }
  .stack thead { position: absolute; left: -999em; } .stack tr { display: block; border-bottom: 1px solid var(--line); padding: .5rem 0; } .stack td { display: block; border: 0; padding: .1rem 0; } .stack td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); } }
`;
