"""Diagrams as plain SVG: no script, no style sheet, no font to fetch, paper of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from .press import INKS, PAPER, Point

_SANS = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif"
_NIGHT = INKS["night"]


@dataclass(kw_only=True)
class Diagram:
    """A sheet of paper with labelled boxes and arrows."""

    width: int
    height: int
    title: str
    parts: list[str] = field(default_factory=list)

    def box(
        self, frame: tuple[float, float, float, float], name: str, note: str = "", ink: str = ""
    ) -> None:
        """A box given as left, top, width, height."""
        x, y, width, height = frame
        fill, colour = (
            (INKS[ink], "#fff") if ink and ink != "sun" else (INKS.get(ink, "#fffaf0"), _NIGHT)
        )
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="10" '
            f'fill="{fill}" stroke="{_NIGHT}" stroke-width="3"/>'
        )
        middle = y + height / 2 + (0 if note else 8)
        self.say(
            (x + width / 2, middle - (4 if note else 0)), name, size=25, colour=colour, weight=700
        )
        if note:
            self.say((x + width / 2, middle + 25), note, size=18, colour=colour)

    def arrow(self, points: list[Point], ink: str = "night", *, dashed: bool = False) -> None:
        """A line with a head at its last point."""
        d = "M" + " L".join(f"{x:g} {y:g}" for x, y in points)
        dash = ' stroke-dasharray="3 11" stroke-linecap="round"' if dashed else ""
        self.parts.append(
            f'<path d="{d}" fill="none" stroke="{INKS[ink]}" stroke-width="5" '
            f'stroke-linejoin="round"{dash} marker-end="url(#{ink})"/>'
        )

    def say(
        self, at: Point, text: str, *, size: int = 19, colour: str = _NIGHT, weight: int = 400
    ) -> None:
        """A line of text centred on a point of its baseline."""
        self.parts.append(
            f'<text x="{at[0]:g}" y="{at[1]:g}" font-family="{_SANS}" font-size="{size}" '
            f'font-weight="{weight}" fill="{colour}" text-anchor="middle">{escape(text)}</text>'
        )

    def svg(self) -> str:
        """The finished drawing."""
        heads = "".join(
            f'<marker id="{ink}" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="4.4" '
            f'markerHeight="4.4" orient="auto-start-reverse">'
            f'<path d="M0 0L10 5L0 10z" fill="{INKS[ink]}"/></marker>'
            for ink in INKS
        )
        body = "\n  ".join(self.parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
            f'viewBox="0 0 {self.width} {self.height}" role="img" aria-labelledby="title">\n'
            f'  <title id="title">{escape(self.title)}</title>\n  <defs>{heads}</defs>\n'
            f'  <rect width="{self.width}" height="{self.height}" fill="{PAPER}"/>\n'
            f"  {body}\n</svg>\n"
        )


def a_reads_way() -> str:
    """From a reader to a page: the shorter the way, the better."""
    d = Diagram(width=1200, height=540, title="A read's way through the house")
    d.box((40, 190, 170, 110), "Reader", "browser cache")
    d.box((300, 190, 170, 110), "CDN", "if you have one", ink="sun")
    d.box((560, 190, 170, 110), "Gateway", "in our process", ink="vermilion")
    d.box((820, 190, 150, 110), "View", "renders once", ink="teal")
    d.box((1040, 190, 120, 110), "Rows", "database")
    for left, right in ((210, 300), (470, 560), (730, 820), (970, 1040)):
        d.arrow([(left + 6, 228), (right - 8, 228)])
    d.arrow([(645, 190), (645, 110), (125, 110), (125, 182)], "vermilion")
    d.say((385, 92), "a hit: no Python framework, no database", size=20)
    d.arrow([(895, 300), (895, 372)], "teal")
    d.box((788, 380, 214, 90), "Guard", "may this be shared?")
    d.arrow([(788, 425), (645, 425), (645, 308)], "teal")
    d.say((500, 374), "yes: the gateway keeps a copy", size=18)
    d.arrow([(895, 470), (895, 496), (125, 496), (125, 308)], "night", dashed=True)
    d.say((345, 478), "no: answered once, stored nowhere", size=18)
    return d.svg()


def commit_to_fresh() -> str:
    """From an edit to a fresh page."""
    d = Diagram(width=1200, height=430, title="From commit to fresh")
    steps = (
        ("Edit", "an action writes rows", ""),
        ("Commit", "the change is final", "sun"),
        ("Purge", "only affected pages", "vermilion"),
        ("Next read", "renders the page", "teal"),
    )
    for index, (name, note, ink) in enumerate(steps):
        d.box((40 + index * 300, 120, 220, 120), name, note, ink=ink)
        if index:
            d.arrow([(-36 + index * 300, 180), (32 + index * 300, 180)])
    d.say((300, 84), "one transaction", size=20)
    d.parts.append(f'<path d="M40 98H560" stroke="{_NIGHT}" stroke-width="3" fill="none"/>')
    d.box((340, 310, 520, 96), "A CDN's copy", "purged a moment later")
    d.arrow([(450, 240), (450, 302)], "night", dashed=True)
    d.say((690, 282), "without a purge API: 60 seconds old at most", size=18)
    return d.svg()


def one_fetch() -> str:
    """Many readers, one missing page, one render."""
    d = Diagram(width=1200, height=480, title="Many readers, one render")
    for row in range(5):
        y = 50 + row * 84
        first = row == 0
        d.box((40, y, 190, 58), f"Reader {row + 1}", ink="vermilion" if first else "")
        d.arrow(
            [(236, y + 29), (500, 226 + row * 12)],
            "vermilion" if first else "night",
            dashed=not first,
        )
    d.box((512, 180, 220, 140), "Gateway", "one asks, four wait", ink="sun")
    d.arrow([(738, 250), (948, 250)], "vermilion")
    d.say((842, 230), "one fetch", size=20, weight=700)
    d.box((960, 190, 200, 120), "Origin", "one render", ink="teal")
    d.arrow([(1060, 318), (1060, 400), (622, 400), (622, 330)], "teal")
    d.say((842, 436), "one answer, given five times", size=20)
    return d.svg()
