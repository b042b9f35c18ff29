"""How the page looks: in light and in dark, on a phone, on paper. The only style there is, for the page loads none."""

from typing import Final

from reconciler.render.html.markup import Markup

_COLOURS: Final = """
:root{--paper:#f5f4f0;--card:#fff;--ink:#1c2430;--dim:#566070;--rule:#dad7ce;--add:#0c6b46;--remove:#b01f1a;
--change:#855100;--drift:#6d36a6;--trouble:#a3101c;--link:#0a58a8;--wash:#eceae3;--add-wash:#e4f3ea;--remove-wash:#fbe9e6;
--change-wash:#fbf0da;--trouble-wash:#fbe4e4;--wire:#a2a9b5;--node:#fff;--edge:#8a93a1}
@media (prefers-color-scheme:dark){:root{--paper:#11151c;--card:#1a2029;--ink:#e7eaf0;--dim:#a3adbb;--rule:#303946;
--add:#63d6a4;--remove:#ff978d;--change:#e9bc66;--drift:#cba8ff;--trouble:#ff8f95;--link:#86bdff;--wash:#222a35;
--add-wash:#15302a;--remove-wash:#3a2022;--change-wash:#352a16;--trouble-wash:#3d1d22;--wire:#5c6878;--node:#1f2732;
--edge:#6b7787}}
"""
_TEXT: Final = """
*{box-sizing:border-box}
html{color-scheme:light dark;scroll-behavior:smooth}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0 auto;padding:2.25rem clamp(1rem,4vw,3rem) 3rem;max-width:80rem;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;overflow-wrap:anywhere}
h1,h2,h3,h4,p,ul,dl,dd{margin:0;padding:0}ul{list-style:none}
h1{font-size:clamp(1.6rem,4vw,2.1rem);line-height:1.15;letter-spacing:-.02em}
h2{font-size:1.3rem;letter-spacing:-.01em;margin-bottom:1rem}
h2 small{color:var(--dim);font-size:.9rem;font-weight:400;letter-spacing:0;margin-left:.5rem}
h3{font-size:1rem}h4{font-size:1rem}
code,.value,.names,.place,.path,.note{font-size:.84rem;
font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
bdi,.value span,.note span{unicode-bidi:isolate}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:4px}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.add{color:var(--add)}.remove{color:var(--remove)}.change{color:var(--change)}.drift{color:var(--drift)}
.trouble{color:var(--trouble);font-weight:600}.dim,.calm{color:var(--dim)}.heading{font-weight:600}
"""
_OPENING: Final = """
.revision{color:var(--dim);margin-top:.4rem}
.effects{margin-top:1.1rem;padding:.7rem 1rem;font-size:1.1rem;background:var(--card);border:1px solid var(--rule);
border-left:5px solid var(--edge);border-radius:8px}
.effects:has(.change){border-left-color:var(--change)}.effects:has(.trouble){border-left-color:var(--trouble)}
.effects .heading{margin-right:.35rem}
.summary{margin-top:.8rem}
nav ul{display:flex;flex-wrap:wrap;gap:.5rem;margin-top:1.1rem}
nav a{display:block;padding:.25rem .85rem;border:1px solid var(--rule);border-radius:99px;background:var(--card);
text-decoration:none;font-size:.92rem}
nav a:hover{border-color:var(--link)}
.part{margin-top:2.6rem;scroll-margin-top:1rem}
footer{margin-top:3rem;padding-top:1.2rem;border-top:1px solid var(--rule);font-size:.9rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}dt{color:var(--dim)}
"""
_ACCESS: Final = """
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,23rem),1fr));gap:1rem;align-items:start}
.card,.pack,.quiet,#held .step{background:var(--card);border:1px solid var(--rule);border-radius:10px;
padding:1rem 1.15rem}
.card{border-top:4px solid var(--change)}.add-card{border-top-color:var(--add)}
.remove-card{border-top-color:var(--remove)}
.card .what{display:flex;gap:.6rem;align-items:center;font-size:1.08rem}
.sign{flex:none;display:inline-grid;place-items:center;min-width:1.5rem;height:1.5rem;border-radius:99px;
background:var(--wash);font:700 1rem/1 ui-monospace,"DejaVu Sans Mono",monospace}
.sign.add{background:var(--add-wash)}.sign.remove{background:var(--remove-wash)}.sign.change{background:var(--change-wash)}
.sign.trouble{background:var(--trouble-wash)}
.who,.then{color:var(--dim);font-size:.9rem}.who{margin:.2rem 0 .6rem}.then{margin-top:.6rem}
.then.drift{color:var(--drift)}
.verb,.card summary{font-weight:600;margin-top:.5rem}
.readers{display:flex;flex-wrap:wrap;gap:0 2rem}
.broad{grid-column:1/-1}.broad .names{columns:19rem;column-gap:1.5rem}
.names{margin-top:.25rem;line-height:1.55}.names li{padding-left:1.4em;text-indent:-1.4em}
summary{cursor:pointer}
"""
_GRAPH: Final = """
.controls{display:flex;flex-wrap:wrap;gap:.8rem 1.6rem;align-items:center;margin-bottom:1rem}
.views{display:flex;border:1px solid var(--edge);border-radius:8px;padding:0;margin:0;overflow:clip;
background:var(--card)}
.views input{position:absolute;opacity:0;pointer-events:none}
.views label{padding:.35rem .95rem;cursor:pointer;font-size:.92rem}
.views label:not(:last-child){border-right:1px solid var(--edge)}
.views input:checked+label{background:var(--ink);color:var(--paper);font-weight:600}
.views input:focus-visible+label{outline:3px solid var(--link);outline-offset:-3px}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;font-size:.88rem;color:var(--dim)}
.legend li{display:flex;align-items:center;gap:.4rem}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:.9rem}
#graph details{margin-bottom:.9rem}#graph summary{font-weight:600;padding:.3rem 0}
#graph .scroll+.scroll{margin-top:1rem}#graph .calm{margin-top:.8rem;font-size:.9rem}
svg text{font:12.5px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:var(--ink);
unicode-bidi:isolate}
.scroll svg{display:block;margin:0 auto;width:100%;height:auto}
svg .column{fill:var(--dim);font-family:system-ui,"DejaVu Sans",sans-serif;font-size:12.5px}
svg .schema{fill:var(--dim)}
.wire{fill:none;stroke:var(--wire);stroke-width:1.3}
.wire.gained{stroke:var(--add);stroke-width:2.4}
.wire.lost{stroke:var(--remove);stroke-width:2.2;stroke-dasharray:7 5}
.wire.otherwise{stroke:var(--change);stroke-width:2.4;stroke-dasharray:2 4}
.mark circle{fill:var(--card);stroke:currentColor;stroke-width:1.5}
.mark text{text-anchor:middle;font-weight:700;fill:currentColor}
.mark.gained{color:var(--add)}.mark.lost{color:var(--remove)}.mark.otherwise{color:var(--change)}
.node rect{fill:var(--node);stroke:var(--edge)}
.node.gained rect{fill:var(--add-wash);stroke:var(--add)}
.node.lost rect{fill:var(--remove-wash);stroke:var(--remove);stroke-dasharray:5 4}
.node.otherwise rect{fill:var(--change-wash);stroke:var(--change)}
.share rect{stroke-width:1.6}.share text{font-weight:600}.bundle text{fill:var(--dim)}
svg .node .count{font-weight:700}svg .add{fill:var(--add)}svg .remove{fill:var(--remove)}
#graph:has(#view-before:checked) .scroll .gained,#graph:has(#view-after:checked) .scroll .lost,
#graph:has(#view-before:checked,#view-after:checked) :is(.scroll .mark,.scroll .count){visibility:hidden}
#graph:has(#view-before:checked,#view-after:checked) .scroll .wire{stroke:var(--edge);stroke-width:1.6;
stroke-dasharray:none}
#graph:has(#view-before:checked,#view-after:checked) .scroll .node rect{fill:var(--node);stroke:var(--edge);
stroke-dasharray:none}
"""
_PACKS: Final = """
.pack{margin-bottom:1rem}.pack>summary{display:flex;flex-wrap:wrap;gap:.4rem .9rem;align-items:center;list-style:none}
.pack>summary::-webkit-details-marker{display:none}
.pack>summary::before{content:"";flex:none;width:.5rem;height:.5rem;border:solid var(--dim);border-width:0 2px 2px 0;
transform:rotate(-45deg)}
.pack[open]>summary::before{transform:rotate(45deg)}.pack[open]>summary{margin-bottom:.8rem}
.pack h3{flex:1;min-width:min(100%,14rem)}.pack h3 span.path{display:block;font-size:.95rem}
.of{display:block;font-weight:400;font-size:.88rem;white-space:pre-wrap}
.badge{padding:.12rem .6rem;border-radius:99px;font-size:.8rem;font-weight:600;background:var(--wash)}
.badge.change{background:var(--change-wash)}.badge.trouble{background:var(--trouble-wash)}
.pack>h3{margin-bottom:.7rem}.step{padding:.75rem 0;border-top:1px solid var(--rule)}
.step .what{display:flex;flex-wrap:wrap;gap:.3rem .65rem;align-items:center;margin-bottom:.35rem}
.deed{font-weight:400}.place{margin-left:auto;font-weight:400}
.by-hand{padding-left:2.15rem;font-size:.9rem}
.field{display:grid;grid-template-columns:9rem 1fr;gap:0 .8rem;padding-left:2.15rem}
.field.deep{padding-left:4rem}.label{color:var(--dim);font-size:.88rem}
.value{white-space:pre-wrap;min-width:0}.note{padding-left:2.15rem;white-space:pre-wrap}.hint{color:var(--ink)}
.quiet .note,.degraded .note{padding-left:0}.quiet{margin-bottom:1rem}
#held .step{margin-bottom:1rem;border-left:5px solid var(--change)}#held .held{border-left-color:var(--trouble)}
#held .step .calm,.pack>.calm{padding-left:2.15rem;font-size:.88rem}.pack>.calm{padding-left:0;margin-top:.5rem}
.pack>.note{padding-left:0}
"""
_NARROW: Final = """
@media (max-width:40rem){body{padding-top:1.4rem}.field{grid-template-columns:1fr;padding-left:0}
.field.deep{padding-left:1rem}.label:not(:empty){margin-top:.3rem}
.note,.by-hand{padding-left:0}#held .step .calm{padding-left:0}.place{margin-left:0}
h2 small{display:block;margin:.1rem 0 0}
.card,.pack,.quiet,#held .step{padding:.85rem .9rem}dl{grid-template-columns:1fr}dd{margin-bottom:.4rem}
.scroll{padding:.6rem}}
@media print{:root{--paper:#fff;--card:#fff;--ink:#000;--dim:#444;--rule:#bbb}
body{padding:0;max-width:none;font-size:10pt}
nav,.views{display:none}.card,.step,.scroll{break-inside:avoid}.scroll{overflow:visible}
details::details-content{content-visibility:visible;block-size:auto}}
"""

STYLE: Final = Markup(f"{_COLOURS}{_TEXT}{_OPENING}{_ACCESS}{_GRAPH}{_PACKS}{_NARROW}")
