import { createHash } from 'node:crypto';

/** The page's only style: it stands in the page itself, so that one request is all a phone makes. Contrasts are AA or better. */
export const style = `:root{color-scheme:light dark;--ink:#1b1f24;--soft:#505862;--paper:#fff;--card:#f4f6f8;--line:#c9d0d8;--act:#0b57b5;--acttext:#fff;--bad:#a3202a;--badtext:#fff;--good:#e3f3e6;--warn:#fdecea}
@media(prefers-color-scheme:dark){:root{--ink:#eceff3;--soft:#b3bcc6;--paper:#14181d;--card:#1f252c;--line:#3d4650;--act:#8ab8ff;--acttext:#0b1a2e;--bad:#ff9a92;--badtext:#2d0906;--good:#16351f;--warn:#43201e}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,"Noto Sans","Noto Sans Devanagari",sans-serif;overflow-wrap:anywhere}
header,main,footer{max-width:40rem;margin:0 auto;padding:1rem}
header{padding-bottom:0}main{padding-top:0}
h1{font-size:1.45rem;line-height:1.25;margin:.2rem 0 .6rem}h2{font-size:1.12rem;margin:1.8rem 0 .5rem}
p{margin:.4rem 0}ul,ol,dl{margin:.5rem 0;padding:0;list-style:none}
li,dl>div,.box{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.65rem .8rem;margin:.5rem 0}
li ul{margin:.4rem 0 0}li li{background:none;border:0;border-top:1px solid var(--line);border-radius:0;margin:0;padding:.4rem 0 0}
dt{font-weight:600}dd{margin:0}.soft{color:var(--soft)}.good{background:var(--good)}.warn{background:var(--warn)}
.number{font-size:1.25rem;font-weight:600;letter-spacing:.02em;unicode-bidi:isolate}
a{color:var(--act)}a:focus-visible,button:focus-visible,select:focus-visible,textarea:focus-visible{outline:3px solid var(--act);outline-offset:2px}
.button,button{display:block;width:100%;margin:.6rem 0;padding:.75rem 1rem;min-height:2.9rem;border:1px solid var(--act);border-radius:.6rem;background:var(--paper);color:var(--act);font:inherit;font-weight:600;text-align:center;text-decoration:none;cursor:pointer}
button{background:var(--act);color:var(--acttext)}button.bad{background:var(--bad);border-color:var(--bad);color:var(--badtext)}
label{display:block;font-weight:600;margin:.9rem 0 .25rem}select,textarea{width:100%;padding:.6rem;font:inherit;color:var(--ink);background:var(--paper);border:1px solid var(--soft);border-radius:.5rem}
textarea{min-height:9rem}nav a{display:inline-block;padding:.5rem .9rem .5rem 0}
.skip{position:absolute;left:-99rem}.skip:focus{position:static}`;

/** No script, nothing from outside, forms to ourselves only. */
export const policy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');
