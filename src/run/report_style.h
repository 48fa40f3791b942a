// The look of the report page and the few lines of script that sort and search its table. Nothing
// here names another file: the page is whole without a network.
#pragma once

#include <string_view>

namespace tsm::run {

// Outcomes differ by pattern as well as by colour, for eyes and printers without colours.
inline constexpr std::string_view kReportStyle = R"css(
:root{color-scheme:light dark;--page:#f6f7f8;--card:#fff;--text:#1b1f24;--soft:#57606a;--line:#d9dee3;
--accent:#1f5fa8;--on:#fff;--stripe:rgba(0,0,0,.28);--done:#2c7a4b;--failed:#b3261e;--replaced:#85661a;
--cancelled:#66707b;--running:#1f6cb0;--warn:#fdf1f0}
@media (prefers-color-scheme:dark){:root{--page:#121518;--card:#1a1e23;--text:#e7eaed;--soft:#a3acb6;
--line:#343b43;--accent:#7db7f0;--on:#0d1013;--stripe:rgba(255,255,255,.35);--done:#5cb380;--failed:#f2766d;
--replaced:#d6b150;--cancelled:#9aa4af;--running:#6db1ef;--warn:#2a1b1b}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,"Segoe UI",Roboto,sans-serif;
overflow-wrap:anywhere}
main{max-width:82rem;margin:0 auto;padding:2rem 1.25rem 4rem}
.kicker,.when{margin:0;color:var(--soft)}
h1{margin:.15rem 0 .3rem;font-size:1.6rem;line-height:1.25;font-weight:650}
h2{margin:2.2rem 0 .7rem;font-size:1.1rem;font-weight:650}
.badge{display:inline-block;padding:.05em .6em;border-radius:1em;font-size:.8rem;font-weight:600;line-height:1.6;
vertical-align:.2em;white-space:nowrap;color:var(--on);background:var(--cancelled)}
.badge.small{font-size:.75rem;vertical-align:baseline}
.done{background-color:var(--done)}.failed{background-color:var(--failed)}
.replaced{background-color:var(--replaced)}.cancelled{background-color:var(--cancelled)}
.running{background-color:var(--running)}
.badge.pending{color:var(--soft);background:none;box-shadow:inset 0 0 0 1px var(--line)}
.tiles,.facts{display:grid;gap:.75rem;margin:1.4rem 0 0}
.tiles{grid-template-columns:repeat(auto-fit,minmax(10rem,1fr))}
.tiles div,.facts,.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.7rem .9rem}
dt{color:var(--soft);font-size:.82rem}
dd{margin:0}
.tiles dd{white-space:nowrap;font-size:1.25rem;font-weight:600;font-variant-numeric:tabular-nums}
.facts{grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:.6rem 1.5rem;margin:0}
.troubles{margin:1.4rem 0 0;padding:.8rem 1rem;border:1px solid var(--failed);border-left-width:.35rem;
border-radius:.5rem;background:var(--warn)}
.troubles h2,.next h2{margin:0 0 .3rem;font-size:1rem}
.troubles ul{margin:0;padding-left:1.2rem}
.next{margin:1.4rem 0 0}
pre{margin:0;padding:.7rem .9rem;white-space:pre-wrap;font:13px/1.5 ui-monospace,Menlo,Consolas,monospace;
background:var(--card);border:1px solid var(--line);border-radius:.5rem}
pre code{font:inherit;user-select:all}
button{font:inherit;color:inherit}
.copy{margin:.4rem 0 0;padding:.2rem .8rem;border:1px solid var(--line);border-radius:.4rem;background:var(--card);
color:var(--accent);cursor:pointer}
figure{margin:0}
.timeline{position:relative;padding-top:1.6rem}
.grid{position:absolute;inset:0 0 0 11rem}
.grid span{position:absolute;top:0;bottom:0;border-left:1px solid var(--line);padding-left:.3rem;color:var(--soft);
font-size:.74rem;white-space:nowrap;font-variant-numeric:tabular-nums}
.lane{position:relative;display:grid;grid-template-columns:10.25rem 1fr;gap:.75rem;padding:.35rem 0}
.lane+.lane{border-top:1px solid var(--line)}
.lane b{align-self:start;font-weight:600;font-size:.85rem;overflow:hidden;display:-webkit-box;-webkit-line-clamp:3;
-webkit-box-orient:vertical}
.track{position:relative;height:1.35rem;margin-bottom:2px}
.dense .track{height:.55rem}
.dense .bar{font-size:0}
.bar{position:absolute;top:0;bottom:0;min-width:2px;padding:0 .25rem;overflow:hidden;border-radius:2px;
font-size:.74rem;line-height:1.35rem;white-space:nowrap;text-decoration:none;color:var(--on);
box-shadow:inset -1px 0 var(--card);print-color-adjust:exact;-webkit-print-color-adjust:exact;
forced-color-adjust:none}
.bar:hover,.bar:focus{outline:2px solid var(--text);z-index:1}
.bar.failed,.key.failed{background-image:repeating-linear-gradient(45deg,transparent 0 4px,var(--stripe) 4px 8px)}
.bar.replaced,.key.replaced{background-image:repeating-linear-gradient(-45deg,transparent 0 3px,var(--stripe) 3px 5px)}
.bar.cancelled,.key.cancelled{background-image:repeating-linear-gradient(90deg,transparent 0 4px,var(--stripe) 4px 6px)}
.bar.running,.key.running{background-image:repeating-linear-gradient(0deg,transparent 0 3px,var(--stripe) 3px 5px)}
.bar.thin{padding:0}
.bar.thin:not(.done){min-width:4px;z-index:1;background-image:none}
figcaption{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin-top:.7rem;color:var(--soft);font-size:.82rem}
.key{display:inline-block;width:1.5rem;height:.75rem;margin-right:.4rem;border-radius:2px;vertical-align:-.05rem;
print-color-adjust:exact;-webkit-print-color-adjust:exact;forced-color-adjust:none}
.tools{display:flex;flex-wrap:wrap;gap:.4rem 1rem;align-items:center;margin:0 0 .6rem}
.tools p{margin:0;color:var(--soft)}
input{font:inherit;color:inherit;background:var(--card);border:1px solid var(--soft);border-radius:.4rem;
padding:.2rem .6rem;margin-left:.4rem}
table{width:100%;border-collapse:collapse;background:var(--card);font-size:.87rem}
caption{text-align:left;color:var(--soft);padding-bottom:.3rem}
th,td{padding:.4rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;font-weight:400}
thead th{position:sticky;top:0;background:var(--card);font-weight:600;white-space:nowrap;box-shadow:0 1px var(--line)}
thead button{padding:0;border:0;background:none;font-weight:600;cursor:pointer}
thead button::after{content:" \2195";color:var(--soft)}
[aria-sort=ascending] button::after{content:" \2191"}
[aria-sort=descending] button::after{content:" \2193"}
tbody th{font-weight:600}
tbody th,.range{white-space:nowrap}
td:first-child{min-width:12em}
td:last-child{min-width:20em}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td ol{margin:0;padding:0;list-style:none}
td li+li{margin-top:.25rem}
time{font-variant-numeric:tabular-nums;white-space:nowrap}
.note{color:var(--soft)}
tr:target>*{background:color-mix(in srgb,var(--accent) 16%,var(--card))}
footer{margin-top:2rem;color:var(--soft);font-size:.82rem}
@media (max-width:76rem){.scroll{overflow-x:auto}}
@media (max-width:44rem){.grid{inset:0}.lane{grid-template-columns:1fr;gap:.2rem}}
@media print{:root{--page:#fff;--card:#fff;--text:#000;--soft:#444;--line:#bbb;--on:#fff;--done:#2c7a4b;
--failed:#b3261e;--replaced:#85661a;--cancelled:#66707b;--running:#1f6cb0;--stripe:rgba(0,0,0,.28);--warn:#fff}
main{max-width:none;padding:0}.tools label,.copy{display:none}thead th{position:static}
tr,.lane,.tiles div{break-inside:avoid}.scroll{overflow:visible}
.badge{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";

inline constexpr std::string_view kReportScript = R"js(
(() => {
  const command = document.querySelector('.next code');
  if (command && navigator.clipboard) {
    const copy = document.createElement('button');
    copy.className = 'copy';
    copy.type = 'button';
    copy.textContent = 'Copy';
    copy.onclick = async () => {
      await navigator.clipboard.writeText(command.textContent);
      copy.textContent = 'Copied';
    };
    command.closest('.next').append(copy);
  }
  const table = document.getElementById('units');
  if (!table) return;
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    const key = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent;
    const compare = head.classList.contains('n')
        ? (a, b) => key(a) - key(b)
        : (a, b) => key(a).localeCompare(key(b), 'en', {numeric: true});
    button.onclick = () => {
      const up = head.getAttribute('aria-sort') !== 'ascending';
      heads.forEach((other) => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      body.append(...[...body.rows].sort((a, b) => up ? compare(a, b) : compare(b, a)));
    };
  });
  const label = document.createElement('label');
  const search = document.createElement('input');
  search.type = 'search';
  label.append('Find', search);
  document.querySelector('.tools').append(label);
  search.oninput = () => {
    const wanted = search.value.toLowerCase();
    for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  };
})();
)js";

}  // namespace tsm::run
