"""HTML from plain values. Every text is escaped here, and nowhere else."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from string import Template

from matplotlib.figure import Figure

__all__ = ["Markup", "bullets", "code", "figure", "join", "page", "section", "table", "tag"]


NARROW = 5.5  # inches: what is wider scrolls inside its box on a small screen


class Markup(str):
    """HTML that is ready: all that is not of this type is text, and is escaped."""

    __slots__ = ()


def tag(name: str, *content: object, **attributes: object) -> Markup:
    """An element; what is not `Markup` in it is escaped, and so are its attributes.

    >>> tag("p", "a < b", tag("b", "!"), class_="note")
    '<p class="note">a &lt; b<b>!</b></p>'
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_text(value)}"'
        for key, value in attributes.items()
    )
    return Markup(f"<{name}{given}>{join(content)}</{name}>")


def join(parts: Iterable[object]) -> Markup:
    """Parts one after the other; text is escaped.

    >>> join(["<", Markup("<br>")])
    '&lt;<br>'
    """
    return Markup("".join(p if isinstance(p, Markup) else _text(p) for p in parts))


def section(title: str, *content: object) -> Markup:
    """A part of the page under its heading."""
    return tag("section", tag("h2", title), *content)


def bullets(lines: Iterable[object]) -> Markup:
    """A list."""
    return tag("ul", *(tag("li", line) for line in lines))


def code(text: str) -> Markup:
    """Lines to copy, which scroll inside their box."""
    return tag("pre", tag("code", text), tabindex="0")


def table(header: Sequence[object], rows: Iterable[Sequence[object]], caption: str) -> Markup:
    """A table that scrolls inside its box; the first cell of a row is its heading.

    >>> '&lt;a&gt;</th><td>1</td>' in table(["name", "value"], [["<a>", 1]], "Some")
    True
    """
    head = tag("thead", tag("tr", *(tag("th", cell, scope="col") for cell in header)))
    body = tag(
        "tbody",
        *(
            tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:]))
            for row in rows
        ),
    )
    whole = tag("table", tag("caption", caption), head, body)
    return tag("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def figure(drawn: Figure, alt: str, caption: str, dpi: int = 130) -> Markup:
    """A picture inside the page, as PNG, under which its caption stands.

    Args:
        drawn: the figure.
        alt: what a reader who cannot see it must know.
        caption: what it shows.
        dpi: dots per inch.
    """
    written = io.BytesIO()
    drawn.savefig(written, format="png", dpi=dpi, facecolor="white", bbox_inches="tight")
    content = base64.b64encode(written.getvalue()).decode("ascii")
    image = f'<img src="data:image/png;base64,{content}" alt="{_text(alt)}">'
    wide = "scroll wide" if drawn.get_figwidth() > NARROW else "scroll"
    return tag("figure", tag("div", Markup(image), class_=wide), tag("figcaption", caption))


def page(title: str, *content: object) -> str:
    """A whole page: one style sheet, no script, nothing from elsewhere."""
    return PAGE.substitute(title=_text(title), style=STYLE, content=join(content))


def _text(value: object) -> str:
    """Text as it stands in a page; what no page may hold, such as half of a letter, as a "?"."""
    found = str(value).encode("utf-8", "replace").decode("utf-8")
    return escape("".join(x if x.isprintable() or x in "\n\t" else "?" for x in found))


STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --soft: #5a5a5a; --line: #d5d5d5;
  --box: #f5f5f3; --act: #a33b00; --look: #7a5b00; --fine: #14663d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e6; --paper: #17181a; --soft: #a9a9a9;
  --line: #3a3b3e; --box: #222326; --act: #ff9d66; --look: #e3c04f; --fine: #6fcf97; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p, ul { margin: .4rem 0; }
.soft, figcaption, caption { color: var(--soft); font-size: .9rem; }
.verdict { background: var(--box); border-left: 4px solid var(--line); padding: .6rem 1rem; }
.verdict p { font-size: 1.05rem; }
.scroll { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .95rem; }
caption { text-align: left; padding: .2rem 0; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: normal; }
thead th { font-weight: 600; } tbody th { font-weight: 400; }
tr.model th, tr.model td { font-weight: 700; }
pre { background: var(--box); padding: .7rem; overflow-x: auto; font-size: .85rem; }
figure { margin: 1rem 0 1.6rem; }
figure img { display: block; width: auto; height: auto; max-width: 100%; background: #fff;
  padding: .3rem; }
.wide img { min-width: 36rem; max-width: max(100%, 36rem); }
.finding { border-left: 4px solid var(--line); padding: .1rem 0 .1rem .8rem; margin: .8rem 0; }
.act { border-color: var(--act); } .look { border-color: var(--look); }
.fine { border-color: var(--fine); }
.act h3 { color: var(--act); } .look h3 { color: var(--look); } .fine h3 { color: var(--fine); }
.finding h3 { margin: .2rem 0; }
@media (max-width: 34rem) { body { padding: .7rem; } }
@media (min-width: 38rem) { .small { display: none; } }
""".strip()

PAGE = Template(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:;\
 style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>$title</title>
<style>
$style
</style>
</head>
<body>
<main>
$content
</main>
</body>
</html>
"""
)
