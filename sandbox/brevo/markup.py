"""The look of the stand-in's pages: one style sheet, and the few pieces pages are made of."""

from collections.abc import Iterable
from html import escape

_STYLE = """
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --ink: #1b2330; --soft: #5a6575;
  --line: #e1e5eb; --accent: #0b6e4f; --good: #0b6e4f; --bad: #b3261e; --bad-soft: #fdecea; }
@media (prefers-color-scheme: dark) { :root { --ground: #12161c; --card: #1b212a; --ink: #e6eaf0;
  --soft: #9aa6b6; --line: #2e3744; --accent: #57c79e; --good: #57c79e; --bad: #ff9a90;
  --bad-soft: #3b2422; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
header, main { max-width: 68rem; margin: 0 auto; padding: 1rem; }
header { padding-top: 1.5rem; padding-bottom: 0; }
header p { margin: 0; color: var(--soft); }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 0 0 .5rem; font-size: 1.1rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: 1rem; margin-bottom: 1rem; min-width: 0; }
.pair { display: grid; grid-template-columns: 1fr; column-gap: 1rem; align-items: start; }
@media (min-width: 56rem) { .pair { grid-template-columns: 1fr 1fr; } }
section > :last-child { margin-bottom: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .94rem; }
th { text-align: left; color: var(--soft); font-weight: 600; font-size: .82rem; }
th, td { padding: .45rem .9rem .45rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
tr:last-child td { border-bottom: 0; }
td:first-child { overflow-wrap: anywhere; min-width: 6rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
th:last-child, td:last-child { padding-right: 0; }
a { color: var(--accent); text-underline-offset: .15em; }
a:focus-visible, input:focus-visible, button:focus-visible, .scroll:focus-visible {
  outline: 3px solid var(--accent); outline-offset: 2px; border-radius: .3rem; }
code { font: .88em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
form { display: flex; flex-wrap: wrap; gap: .5rem; margin-bottom: .75rem; }
label { width: 100%; font-size: .88rem; color: var(--soft); }
input { flex: 1 1 12rem; min-width: 0; font: inherit; color: inherit; background: var(--ground);
  border: 1px solid var(--soft); border-radius: .4rem; padding: .45rem .7rem; }
button { font: inherit; color: var(--card); background: var(--accent); border: 0;
  border-radius: .4rem; padding: .45rem 1rem; cursor: pointer; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0 .6rem; margin: 0; }
dt { color: var(--soft); font-size: .82rem; line-height: 1.8; }
dd { margin: 0; overflow-wrap: anywhere; }
.soft { color: var(--soft); }
.good { color: var(--good); }
.bad { color: var(--bad); }
.flag { color: var(--bad); background: var(--bad-soft); border-radius: 1rem; padding: .1rem .6rem;
  font-size: .82rem; white-space: nowrap; }
nav { display: flex; justify-content: space-between; gap: 1rem; flex-wrap: wrap;
  margin-top: .75rem; }
@media (max-width: 40rem) {
  .stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden;
    clip-path: inset(50%); }
  .stack tr { display: block; padding: .6rem 0; border-bottom: 1px solid var(--line); }
  .stack td { display: block; border: 0; padding: .1rem 0; }
  .stack td:first-child { font-weight: 600; }
  .stack td:last-child { color: var(--soft); font-size: .82rem; }
  .stack td:last-child::before { content: attr(data-head) ": "; }
  .stack td:empty { display: none; }
}
pre { background: var(--ground); border: 1px solid var(--line); border-radius: .4rem;
  padding: .75rem; white-space: pre-wrap; margin: .5rem 0; }
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>{header}</header>
<main>{main}</main>
</body>
</html>
"""


class Html(str):
    """Text that is markup already; everything else is escaped when it is put into a page."""

    __slots__ = ()


def mark(value: object) -> str:
    return value if isinstance(value, Html) else escape(str(value))


def join(parts: Iterable[object], between: str = "") -> Html:
    return Html(between.join(mark(part) for part in parts))


def fill(template: str, **values: object) -> Html:
    """Fill a template of ours with values, each escaped unless it is Html."""
    return Html(template.format_map({name: mark(value) for name, value in values.items()}))


def table(
    name: str, heads: Iterable[str], rows: Iterable[Iterable[object]], kind: str = "plain"
) -> Html:
    """Build a table that scrolls sideways by itself; a head that ends in "#" heads numbers.

    A table of the kind "stack" turns its rows into cards on a narrow screen.
    """
    columns = [
        (head.removesuffix("#"), Html(' class="number"' if head.endswith("#") else ""))
        for head in heads
    ]
    head = join(
        fill('<th scope="col"{align}>{text}</th>', text=text, align=align)
        for text, align in columns
    )
    body = join(fill("<tr>{cells}</tr>", cells=_cells(row, columns)) for row in rows)
    return fill(
        '<div class="scroll" tabindex="0" role="region" aria-label="{name}"><table class="{kind}">'
        "<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>",
        name=name,
        kind=kind,
        head=head,
        body=body,
    )


def _cells(row: Iterable[object], columns: Iterable[tuple[str, Html]]) -> Html:
    return join(
        fill('<td{align} data-head="{head}">{cell}</td>', align=align, head=head, cell=cell)
        for cell, (head, align) in zip(row, columns, strict=True)
    )


def document(title: str, header: Html, main: Html) -> str:
    return _PAGE.format(title=escape(title), style=_STYLE, header=header, main=main)
