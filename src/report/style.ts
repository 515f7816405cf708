/** The page's own style, and the only one its policy admits. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --card: #ffffff; --ink: #1b1f24; --muted: #57606a; --line: #d9dee4; --link: #0a58a8;
  --good: #14713d; --good-bg: #dff5e6; --bad: #a8201a; --bad-bg: #fde5e3; --doubt: #825400; --doubt-bg: #fcefd2;
  --calm: #3f5f8a; --calm-bg: #e4ecf7; --pale: #c3ccd7; --bar: #b9c8dc; --removed: #fff0ee; --added: #eafaf0;
  --mark-old: #fbc9c4; --mark-new: #b5ebc8; --none: #f2f4f6; --code: #f0f2f5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0f1317; --card: #171c22; --ink: #e4e8ed; --muted: #9aa5b1; --line: #2c343d; --link: #7db8f5;
    --good: #5fd38d; --good-bg: #12331f; --bad: #ff9a92; --bad-bg: #43191a; --doubt: #eebb55; --doubt-bg: #3a2c0d;
    --calm: #9dbce8; --calm-bg: #1e2c40; --pale: #46505c; --bar: #34465e; --removed: #2b1517; --added: #10261a;
    --mark-old: #6b2724; --mark-new: #1d5a35; --none: #12161b; --code: #20272f;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0 auto; max-width: 74rem; padding: 1.5rem clamp(.75rem, 3vw, 2rem) 3rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: break-word; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .5rem 1rem; z-index: 2; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.hero { background: var(--card); border: 1px solid var(--line); border-left: .5rem solid var(--calm); border-radius: .75rem;
  padding: 1.25rem clamp(1rem, 3vw, 2rem); }
.hero.good { border-left-color: var(--good); } .hero.good h1 { color: var(--good); }
.hero.bad { border-left-color: var(--bad); } .hero.bad h1 { color: var(--bad); }
.hero.doubt { border-left-color: var(--doubt); } .hero.doubt h1 { color: var(--doubt); }
.eyebrow { margin: 0; color: var(--muted); font-size: .8rem; letter-spacing: .06em; text-transform: uppercase; }
h1 { margin: .1rem 0 .4rem; font-size: clamp(1.6rem, 5vw, 2.3rem); line-height: 1.2; }
h2 { margin: 0 0 .9rem; font-size: 1.3rem; line-height: 1.3; }
h3 { margin: 0 0 .6rem; font-size: 1.05rem; }
.command { margin: 0 0 .75rem; } .command code { font-size: 1rem; padding: .25rem .5rem; }
.figures { display: flex; flex-wrap: wrap; gap: .4rem 2rem; margin: 0; padding: 0; list-style: none; color: var(--muted); }
.figures b { color: var(--ink); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem .4rem; list-style: none; margin: 1rem 0; padding: 0; }
nav a { display: block; padding: .3rem .7rem; border-radius: 99px; text-decoration: none; font-size: .92rem; }
nav a:hover { background: var(--calm-bg); }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem clamp(.9rem, 2.5vw, 1.75rem);
  margin: 0 0 1.1rem; scroll-margin-top: 1rem; }
.card { border: 1px solid var(--line); border-radius: .6rem; padding: 1rem; margin: 0 0 .9rem; }
.card:last-child { margin-bottom: 0; }
code, pre, .diff td { font-family: ui-monospace, SFMono-Regular, "Cascadia Code", Menlo, Consolas, "Liberation Mono", monospace; }
code { font-size: .88em; background: var(--code); padding: .1em .35em; border-radius: .3em; overflow-wrap: anywhere; }
code.digest { word-break: break-all; } code.unit { white-space: pre-wrap; }
pre { margin: .3rem 0 0; padding: .75rem; background: var(--code); border-radius: .5rem; overflow: auto; max-height: 30rem;
  font-size: .82rem; line-height: 1.45; tab-size: 4; }
.muted { color: var(--muted); font-weight: 400; } .note { color: var(--muted); margin: .5rem 0 0; }
.plus { color: var(--good); } .minus { color: var(--bad); }
.badge { display: inline-block; padding: .05rem .55rem; border-radius: 99px; font-size: .82rem; font-weight: 600; line-height: 1.5;
  background: var(--calm-bg); color: var(--calm); }
.badge.good { background: var(--good-bg); color: var(--good); } .badge.bad { background: var(--bad-bg); color: var(--bad); }
.badge.doubt { background: var(--doubt-bg); color: var(--doubt); }
.callout { margin: 0 0 1rem; padding: .7rem 1rem; border-radius: .5rem; background: var(--calm-bg); }
.callout.good { background: var(--good-bg); } .callout.bad { background: var(--bad-bg); } .callout.doubt { background: var(--doubt-bg); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: .7rem 2rem; margin: 0 0 1.1rem; }
.facts dt { color: var(--muted); font-size: .84rem; } .facts dd { margin: 0; }
.scroll { overflow-x: auto; margin: .9rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--muted); font-size: .84rem; padding: 0 0 .35rem; }
th { text-align: left; font-weight: 600; } thead th { color: var(--muted); font-size: .84rem; border-bottom: 1px solid var(--line); }
td, th { padding: .35rem .75rem .35rem 0; vertical-align: top; }
tbody tr + tr td, tbody tr + tr th { border-top: 1px solid var(--line); }
.num { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
details { margin: .4rem 0; } summary { cursor: pointer; padding: .2rem 0; color: var(--link); }
summary code { background: none; padding: 0; }
figure { margin: .6rem 0; } figcaption { color: var(--muted); font-size: .84rem; }
blockquote { margin: .3rem 0 0; padding: .5rem 1rem; border-left: 3px solid var(--line); white-space: pre-wrap; }
.is-gone td { color: var(--muted); } .is-gone code { text-decoration: line-through; }
.timeline td, .timeline th { vertical-align: middle; border: 0 !important; }
.timeline tbody th { width: 9.5rem; font-weight: 500; } .timeline td.num { width: 5.5rem; padding-right: 0; }
.timeline svg { display: block; width: 100%; height: 1.4rem; }
.waves svg { height: 1.25rem; }
rect.good { fill: var(--good); } rect.bad { fill: var(--bad); } rect.doubt { fill: var(--doubt); } rect.calm { fill: var(--bar); }
rect.pale { fill: var(--pale); } rect.empty { fill: var(--none); } line.grid { stroke: var(--line); vector-effect: non-scaling-stroke; }
.waves rect.bad { fill: var(--calm); }
.legend { display: flex; flex-wrap: wrap; align-items: center; gap: .2rem 1rem; margin: .6rem 0 0; color: var(--muted); font-size: .84rem; }
.key { width: .8rem; height: .8rem; border-radius: 3px; flex: none; background: var(--bar); }
.entry { display: inline-flex; align-items: center; gap: .4rem; }
.key.good { background: var(--good); } .key.bad { background: var(--bad); } .key.doubt { background: var(--doubt); }
.waves + .legend .key.bad { background: var(--calm); }
.key.pale { background: var(--pale); } .key.empty { background: var(--none); border: 1px solid var(--line); }
.diff { border: 1px solid var(--line); border-radius: .6rem; }
.diff caption { padding: .55rem .8rem; color: var(--ink); font-size: .9rem; border-bottom: 1px solid var(--line); }
.diff .path { font-weight: 600; }
.diff table { table-layout: fixed; font-size: .82rem; line-height: 1.5; }
.diff td { border: 0 !important; padding: 0 .5rem; white-space: pre-wrap; overflow-wrap: anywhere; tab-size: 4; }
.diff col.n { width: 3.4rem; }
.diff td.n { text-align: right; color: var(--muted); user-select: none; white-space: nowrap; }
.diff td.old + td.n { border-left: 1px solid var(--line) !important; }
.diff .sign { display: inline-block; width: 1.2em; color: var(--muted); user-select: none; }
.diff .hunk td { color: var(--muted); background: var(--none); padding: .2rem .8rem; font-size: .78rem; }
.diff .removed .old, .diff .changed .old { background: var(--removed); } .diff .added .new, .diff .changed .new { background: var(--added); }
.diff .none { background: var(--none) !important; }
.diff .old mark { background: var(--mark-old); color: inherit; } .diff .new mark { background: var(--mark-new); color: inherit; }
footer { color: var(--muted); font-size: .88rem; margin-top: 1.5rem; }
@media (max-width: 46rem) {
  .diff table, .diff tbody, .diff tr { display: block; } .diff caption { display: block; }
  .diff tr { display: grid; grid-template-columns: 2.6rem 1fr; }
  .diff td.n { width: auto; padding: 0 .4rem 0 0; } .diff td.old + td.n { border-left: 0 !important; }
  .diff .hunk { display: block; } .diff .hunk td { display: block; }
  .diff .same .old, .diff .none { display: none; }
  .timeline tbody tr { display: grid; grid-template-columns: 1fr auto; } .timeline tbody th { width: auto; padding-bottom: 0; }
  .timeline td.bar { grid-column: 1 / -1; grid-row: 2; padding: 0 0 .5rem; } .timeline td.num { width: auto; padding-bottom: 0; }
}
@media print {
  :root { --paper: #fff; --card: #fff; }
  body { max-width: none; padding: 0; font-size: 10pt; } nav, .skip { display: none; }
  section, .card, .hero { break-inside: auto; border-radius: 0; } h2, h3, caption { break-after: avoid; } tr { break-inside: avoid; }
  pre { max-height: none; white-space: pre-wrap; } .scroll { overflow: visible; }
  details::details-content { content-visibility: visible; display: block; }
  * { print-color-adjust: exact; }
}
`;
