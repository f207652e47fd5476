"""What tests of the site may ask for: a site with something on every page."""

from __future__ import annotations

from app.publishing.models import Kind, Status
from app.publishing.text import render
from app.publishing.transaction import transaction

from . import content

PATHS = [
    "/",
    "/articles/lanterns",
    "/articles/plain",
    "/about",
    "/topics",
    "/topics/harbour",
    "/topics/harbour/pages/1",
    "/authors",
    "/authors/ada",
    "/authors/ada/pages/1",
    "/archive",
    "/archive/pages/1",
    "/archive/2024",
    "/search",
    "/search?q=text",
    "/search?q=nothing-like-it",
    "/edge/no-store",
    "/edge/two-minutes",
    "/edge/cookie",
    "/nothing-here",
]
"""Every kind of page."""

TEXT = """\
A text with a note.[^1] It has *italics*, **weight**, `code` and a [link](/archive).

## Code

```python
def show(slug: str) -> str: return render("a line that is much longer than a phone is wide", slug)
```

## A table

| Edge | Where it goes | Limit |
|---|---|---:|
| first | `CDN-Cache-Control` and something else | 100 |

> A quotation.

> [!WARNING]
> An alert with `code`.

### Lists

- one
    - two

1. first

- [x] done
- [ ] to do

Term
: What it means.

---

![Nothing](missing.jpg)

[^1]: The note.
"""
PROSE = render(TEXT, resolve_image=lambda _: None, resolve_link=lambda _: None).html


def fill() -> None:
    """Write something for every kind of page, in one transaction since that is faster."""
    with transaction():
        write()


def write() -> None:
    """Write something for every kind of page."""
    content.settings()
    content.post(
        "Lanterns",
        at=content.day(30),
        topics=["Harbour", "Light"],
        authors=["Ada", "Ben"],
        body=PROSE,
        words="A text with a note and <b>brackets</b>.",
        cover=True,
    )
    content.post("Plain", at=content.day(20), words="Another text.")
    for number in range(8):
        content.post(
            f"Number {number}",
            at=content.day(number),
            topics=["Harbour"],
            authors=["Ada"],
            cover=number % 2 == 0,
        )
    content.post("About", kind=Kind.PAGE, menu_position=0, body=PROSE)
    content.post("Imprint", kind=Kind.PAGE)
    content.post("A draft", status=Status.DRAFT, topics=["Harbour"], authors=["Ada"])
