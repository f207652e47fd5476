"""The way from Markdown to a finished page body, step by step."""

import re
from collections.abc import Callable

from app import i18n
from app.publishing.languages import direction

from . import (
    blocks,
    directions,
    headings,
    html_tree,
    images,
    links,
    markdown,
    plain_text,
    sanitizer,
)
from .document import Image, Rendered, TextError
from .typography import PLAIN, Typography

MAX_SOURCE = 512 * 1024
MAX_HTML = 4 * 1024 * 1024

# Everything that XML, PostgreSQL or a terminal would choke on; tab and newline stay.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\ufeff]")


def render(
    source: str,
    *,
    title: str = "",
    resolve_image: Callable[[str], Image | None],
    resolve_link: Callable[[str], str | None],
    typography: Typography = PLAIN,
) -> Rendered:
    """Render Markdown to safe HTML; raises `TextError` for what is too large or too deep.

    `resolve_image` gets each image's source, `resolve_link` each link that is not a bare fragment;
    None leaves it to the defaults. A first heading that repeats `title` is left out.
    """
    html, warnings = markdown.to_html(prepare(source), typography)
    root = html_tree.parse(sanitizer.admit(_bounded(html)))
    if _is_html(source):
        html_tree.unwrap(root)
    pictures = images.ImageRewriter(resolve=resolve_image)
    references = links.LinkRewriter(resolve=resolve_link)
    words = i18n.load_catalogues().words(typography.language)
    framed = links.unembed(root)
    blocks.tasks(root, words)
    headings.drop_title(root, title, markdown.to_line(title, typography))
    headings.shift(root)
    pictures.rewrite(root)
    images.figures(root)
    links.autolink(root)
    toc = headings.identify(root, words)
    links.unnest(root)
    references.rewrite(root)
    excerpt = plain_text.excerpt(root)
    blocks.without_more(root)
    blocks.tables(root, words)
    blocks.code(root)
    directions.set_directions(root, direction(typography.language))
    blocks.labels(root, words)
    all_warnings = (*warnings, *framed, *pictures.warnings, *references.warnings)
    return Rendered(
        html=_bounded(sanitizer.seal(html_tree.serialise(root))).strip() + "\n",
        text=plain_text.lines_of(root),
        toc=toc,
        word_count=plain_text.count_words(root),
        excerpt=excerpt,
        images=tuple(pictures.references),
        links=tuple(references.references),
        warnings=tuple(dict.fromkeys(all_warnings)),
    )


def _is_html(source: str) -> bool:
    """Tell whether a text is one block of HTML, as an import writes it."""
    text = source.strip()
    return text.startswith("<div>\n") and text.endswith("\n</div>")


def prepare(source: str) -> str:
    """One kind of line end, no control characters; refuses a source over `MAX_SOURCE` bytes."""
    size = len(source.encode("utf-8", "surrogatepass"))
    if size > MAX_SOURCE:
        raise TextError(
            f"The text has {size // 1024} KiB; {MAX_SOURCE // 1024} KiB is the most. "
            "Split it into several posts."
        )
    return _CONTROL.sub("", source.replace("\r\n", "\n").replace("\r", "\n"))


def _bounded(html: str) -> str:
    if len(html) > MAX_HTML:
        raise TextError(
            f"The text becomes more than {MAX_HTML // 1024 // 1024} MiB of HTML. "
            "Split it into several posts, or take out what repeats."
        )
    return html
