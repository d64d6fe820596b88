/** The style of the page: light and dark as the reader's system is, and on paper. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ground: #fff; --text: #1b1f24; --quiet: #5b6570; --line: #d7dce2; --card: #f5f7f9;
  --ok: #1a7f37; --bad: #c62828; --ink: #1b1f24;
  --check: #e4e8ec; --move: #d9c2f0; --drain: #f6cf8b; --work: #8fb8f0; --recover: #a7dcd6; --undrain: #c8dd9a; --settle: #dfe9d2; --out: #b3541e; --rate: #8fb8f0; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171a; --text: #e6e9ec; --quiet: #9aa4af; --line: #363d45; --card: #1d2226;
    --ok: #57c274; --bad: #ff7b72; --ink: #f2f4f6;
    --check: #333a41; --move: #5f4580; --drain: #80591a; --work: #2b5a9b; --recover: #22645d; --undrain: #53692a; --settle: #39482d; --out: #e08a4e; --rate: #2b5a9b; } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 2rem 1.5rem; max-width: 76rem; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem }
.quiet { color: var(--quiet) }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1.25rem 0; padding: 0 }
.cards div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .9rem }
.cards dt { color: var(--quiet); font-size: .85rem }
.cards dd { margin: 0; font-size: 1.2rem; font-weight: 600; white-space: nowrap }
.ok { color: var(--ok) } .bad { color: var(--bad) }
.message { border-left: 4px solid var(--bad); padding: .3rem .9rem; background: var(--card); white-space: pre-wrap; overflow-wrap: anywhere }
.drawing { overflow-x: auto } .drawing svg { min-width: 44rem; width: 100%; height: auto; display: block }
svg text { font: 12px system-ui, sans-serif; fill: var(--text) }
svg .tick, svg .note { fill: var(--quiet); font-size: 11px } svg .name { font-weight: 600 } svg .label { font-size: 11px; fill: var(--ink) }
.grid { stroke: var(--line); stroke-width: 1 }
.phase { stroke: var(--quiet); stroke-width: .75 }
.check { fill: var(--check) } .work { fill: var(--work) }
.move { fill: url(#on-move) } .drain { fill: url(#on-drain) } .recover { fill: url(#on-recover) } .undrain { fill: url(#on-undrain) } .settle { fill: url(#on-settle) }
.move.ground { fill: var(--move) } .drain.ground { fill: var(--drain) } .recover.ground { fill: var(--recover) } .undrain.ground { fill: var(--undrain) } .settle.ground { fill: var(--settle) }
.drawn { stroke: var(--quiet); stroke-width: .8; fill: none; opacity: .6 }
.phase.failed { stroke: var(--bad); stroke-width: 2.5 }
.out { fill: var(--out) } .rate { fill: var(--rate); stroke: var(--text); stroke-width: .75; opacity: .85 }
.failure line { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 3 2 } .failure text { fill: var(--bad); font-weight: 600 }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; margin: .5rem 0; font-size: .85rem }
.legend svg { vertical-align: -2px }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere }
th { color: var(--quiet); font-weight: 500; font-size: .85rem } .number { text-align: right }
footer { margin-top: 2.5rem; font-size: .85rem; color: var(--quiet) }
@media print { body { padding: 0; max-width: none } }
`;
