//! The style sheet: readable from the last row, on a phone, on paper, in the dark.

/// Before the drawings' own.
pub const STYLE: &str = "\
:root{--paper:#fff;--ink:#111;--soft:#f0f0f0;--rule:#888;--mmap:#00538f;--other:#444}
@media (prefers-color-scheme:dark){:root{--paper:#14161a;--ink:#eee;--soft:#24272d;--rule:#999;--mmap:#8cc8ff;--other:#ccc}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:clamp(16px,1.15vw,24px)/1.45 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',Arial,sans-serif;overflow-wrap:anywhere}
main{max-width:68em;margin:0 auto;padding:1em}
h1{font-size:1.9em;line-height:1.15;margin:.4em 0 .1em}
h2{font-size:1.35em;line-height:1.2;margin:2em 0 .3em}
p{margin:.5em 0;max-width:46em}
ul{margin:.3em 0;padding-left:1.3em;max-width:50em}
header p{color:var(--ink)}
.notices{border:3px double var(--ink);padding:.2em 1em .6em;margin:1em 0}
.notices h2{margin:.4em 0}
.sentence{border-left:.35em solid var(--ink);padding:.2em 0 .2em 1em;margin:1em 0}
blockquote{margin:0;font-size:1.15em;font-style:italic}
.verdict{font-size:1.6em;font-weight:700;line-height:1.2;margin:.2em 0}
figure{margin:1em 0}
svg{display:block;width:100%;height:auto;overflow:visible}
.wide{max-width:62em}
.narrow{display:none;max-width:30em}
.scroll{overflow-x:auto;max-width:100%;border:1px solid var(--rule)}
.scroll:focus-visible,summary:focus-visible{outline:3px solid var(--mmap)}
table{border-collapse:collapse;width:100%;font-size:.9em;overflow-wrap:normal}
th,td{padding:.35em .6em;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top}
td{white-space:nowrap;font-variant-numeric:tabular-nums}
td:last-child{white-space:normal;min-width:14em}
tbody th{font-weight:500}
thead th{border-bottom:2px solid var(--ink);white-space:nowrap}
small{font-size:.8em}
.summary td{text-align:center;padding:.3em .4em;border-left:1px solid var(--rule);white-space:normal;min-width:5.6em}
.summary td:last-child{min-width:5.6em}
.summary th[scope=col]{text-align:center}
.summary th:first-child{text-align:left;min-width:13em;position:sticky;left:0;background:var(--paper)}
.summary .faster{background:var(--ink);color:var(--paper)}
.summary .slower{background:repeating-linear-gradient(45deg,var(--paper),var(--paper) 7px,var(--soft) 7px,var(--soft) 14px)}
.summary .same{background:var(--soft)}
.summary .unsure,.summary .doubt{font-style:italic}
.summary .doubt b{font-weight:400}
h3{font-size:1.05em;margin:1.2em 0 .3em}
.costs td{white-space:normal}
.costs td:last-child{min-width:8em}
.costs .beside th{padding-left:1.6em;font-weight:400}
.below{font-size:.9em}
.why{margin-top:.8em}
details{margin:.8em 0}
summary{cursor:pointer;font-weight:600;padding:.2em 0}
dt{font-weight:600;margin-top:.5em}
dd{margin:0 0 0 1em}
@media (max-width:640px){.wide{display:none}.narrow{display:block}main{padding:.8em}.summary th:first-child{min-width:9em;max-width:10em}}
@media print{body{font-size:10pt}details>*{display:block}section{break-inside:avoid-page}.scroll{overflow:visible}}
";
