"""Markdown becomes the HTML that readers get."""

import re

import pytest

from app.publishing.text import Heading, Image, Rendered, Rendition, TextError, render

PICTURE = Image(
    url="/media/d/p.png",
    width=1000,
    height=500,
    renditions=(Rendition(url="/media/e/p.webp", width=480),),
)


def render_text(source: str, title: str = "") -> Rendered:
    """Render with one known image and one known post."""
    return render(
        source,
        title=title,
        resolve_image={"p.png": PICTURE, "my p.png": PICTURE}.get,
        resolve_link={"@/a.md#f": "/articles/a#f"}.get,
    )


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("*a* **b** `c`", "<p><em>a</em> <strong>b</strong> <code>c</code></p>"),
        ("~~a~~", "<p><s>a</s></p>"),
        ("a\n: b", "<dl>\n<dt>a</dt>\n<dd>b</dd>\n</dl>"),
        ("a<br>b", "<p>a<br>b</p>"),
        ("H<sub>2</sub>O <kbd>x</kbd>", "<p>H<sub>2</sub>O <kbd>x</kbd></p>"),
        ("<noscript>a</noscript>", "<p>a</p>"),
        ('<div class="x"><p class="">a</p></div>', "<div><p>a</p></div>"),
        ("a\x00\x08b\u0085c", "<p>abc</p>"),
        ("a\r\nb\rc", "<p>a\nb\nc</p>"),
        ("", ""),
        ("<details><summary>a</summary>b</details>", "<details><summary>a</summary>b</details>"),
    ],
)
def test_markdown_becomes_html(source: str, html: str) -> None:
    """The dialect is CommonMark with the extensions that writers expect."""
    assert render_text(source).html.strip() == html


def test_a_task_list_has_boxes_without_a_form() -> None:
    """A task shows its state as a character with a name."""
    html = render_text("- [x] a\n- [ ] b").html
    assert '<span class="task" role="img" aria-label="done">☑</span> a' in html
    assert '<span class="task" role="img" aria-label="to do">☐</span> b' in html
    assert "<input" not in html


def test_an_alert_says_its_kind() -> None:
    """A quote that begins with a kind becomes an alert."""
    html = render_text("> [!WARNING]\n> hot").html
    assert '<div class="markdown-alert markdown-alert-warning">' in html


def test_a_footnote_leads_there_and_back() -> None:
    """Both ends of a footnote exist and point at one another."""
    html = render_text("a[^x]\n\n[^x]: note").html
    assert '<a href="#fn1" id="fnref1">' in html
    assert 'id="fn1"' in html
    assert 'href="#fnref1"' in html


def test_what_has_no_words_has_a_name() -> None:
    """A screen reader can say what a bar, the footnotes and the arrow back are."""
    html = render_text('<progress value="1" max="2"></progress>\n\na[^x]\n\n[^x]: note').html
    assert 'aria-label="1 of 2"' in html
    assert '<section class="footnotes" aria-label="Footnotes">' in html
    assert 'aria-label="Back to the text"' in html


def test_a_table_scrolls_by_itself_and_aligns_by_class() -> None:
    """A wide table can be scrolled with the keyboard and needs no style attribute."""
    html = render_text("|a|b|\n|:-:|-|\n|1|2|").html
    assert '<div class="table-wrap" role="region" aria-label="Table" tabindex="0"><table>' in html
    assert '<th class="align-center">a</th>' in html
    assert "style=" not in html


TABLE = "\n\n|a|b|\n|-|-|\n|1|2|\n\n"
CAPTION = "<table><caption>Prices</caption><tr><td>1</td></tr></table>"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        (TABLE, ["Table"]),
        (f"{TABLE} a {TABLE}", ["Table 1", "Table 2"]),
        (f"## Limits{TABLE}## Costs\n\ntext{TABLE}", ["Limits", "Costs"]),
        (f"{TABLE}## Limits{TABLE}and{TABLE}", ["Table", "Limits 1", "Limits 2"]),
        (f"## L{TABLE}and{TABLE}## L 1{TABLE}", ["L 2", "L 3", "L 1"]),
        (f"## Limits\n\n{CAPTION}{TABLE}", ["Prices", "Limits"]),
        (f"## {'long ' * 40}{TABLE}", [("long " * 40)[:99].rstrip() + "…"]),
        (f'## A `"code"` <b>&amp;</b>{TABLE}', ["A &quot;code&quot; &amp;"]),
        ("<table><tr><td><table><tr><td>1</td></tr></table></td></tr></table>", ["Table 1"]),
    ],
)
def test_every_table_has_a_name_of_its_own(source: str, names: list[str]) -> None:
    """Its caption, or the heading above it; a name that occurs twice gets numbers."""
    html = render_text(source).html
    assert re.findall(r'class="table-wrap" role="region" aria-label="([^"]*)"', html) == names


def test_a_body_never_has_a_first_level_heading() -> None:
    """One `#` moves all headings down by one level."""
    rendered = render_text("# a\n\n## b\n\n###### c")
    assert [(h.level, h.text) for h in rendered.toc] == [(2, "a"), (3, "b"), (6, "c")]
    assert "<h1" not in rendered.html


def test_headings_stay_where_no_first_level_is_used() -> None:
    """A body that begins at the second level is left as it is."""
    assert render_text("## a\n\n### b").toc == (Heading(2, "a", "a"), Heading(3, "b", "b"))


def test_headings_in_closed_details_are_not_listed() -> None:
    """A link to one would lead to nothing visible; in open `<details>` it is visible."""
    start, end = "<details><summary>s</summary>\n\n", "\n\n</details>\n\n"
    open_start = start.replace("<details>", "<details open>")
    inner = f"{open_start}## shown\n\n{start}## inner{end}{end}"
    page = render_text(f"## a\n\n{start}## outer{end}{inner}## b")
    assert [h.text for h in page.toc] == ["a", "shown", "b"]
    assert 'id="outer"' in page.html


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("## The `@cached` *decorator*", "The <code>@cached</code> decorator"),
        ("## `<b>` & [`a`](/b)", "<code>&lt;b&gt;</code> &amp; <code>a</code>"),
        ("## `a`[^1]\n\n[^1]: b", "<code>a</code>"),
        ("## No *code* <b>", ""),
    ],
)
def test_the_contents_list_keeps_code(source: str, html: str) -> None:
    """Other elements of a heading become plain text, and all text is escaped."""
    assert render_text(source).toc[0].html == html


@pytest.mark.parametrize("source", ["# The  title\n\n## b", "<h1>the Title</h1>\n\n## b"])
def test_a_first_heading_that_repeats_the_title_is_left_out(source: str) -> None:
    """The page shows the title itself."""
    rendered = render_text(source, title="The title")
    assert [h.text for h in rendered.toc] == ["b"]
    assert rendered.toc[0].level == 2


def test_headings_have_lasting_unique_ids_and_links() -> None:
    """Equal headings are numbered; an explicit id is kept; names of the page are kept free."""
    rendered = render_text("## A b\n\n## A b\n\n## x {#own}\n\n## Main\n\n## 🎉")
    ids = [heading.id for heading in rendered.toc]
    assert ids[:4] == ["a-b", "a-b-2", "own", "section-main"]
    assert '<a class="anchor" href="#a-b-2" aria-label="Link to “A b”"></a></h2>' in rendered.html
    assert "{#own}" not in rendered.html


def test_numbered_ids_never_meet_written_ones() -> None:
    """A number that another heading already bears is passed over."""
    ids = [heading.id for heading in render_text("## a-2\n\n## a\n\n## a\n\n## a").toc]
    assert len(set(ids)) == 4


def test_ids_of_raw_html_are_prefixed_and_their_links_follow() -> None:
    """An id of a writer cannot take the place of one of the page."""
    html = render_text('<p id="search">a</p>\n\n<a name="q"></a> [b](#search) [c](#q)').html
    assert '<p id="u-search">' in html
    assert 'href="#u-search"' in html
    assert '<a id="u-q"></a>' in html


@pytest.mark.parametrize("fence", ["```rust,ignore", "``` rust", "```rs", "```{.rust}"])
def test_code_is_coloured_by_class(fence: str) -> None:
    """The language is the first word of the info string."""
    html = render_text(f"{fence}\nfn main() {{}}\n```").html
    assert '<span class="k">fn</span> <span class="nf">main</span>' in html
    assert "style=" not in html


@pytest.mark.parametrize("source", ["```nosuch\na < b\n```", "```\na < b\n```", "    a < b"])
def test_code_of_an_unknown_language_stays_plain(source: str) -> None:
    """Code is always shown, in colours or not."""
    html = render_text(source).html
    assert "a &lt; b\n</code></pre>" in html
    assert "<span" not in html


def test_huge_code_stays_plain() -> None:
    """Colours are not worth minutes."""
    html = render_text("```python\n" + "x = 1\n" * 20_000 + "```").html
    assert "<span" not in html
    assert html.count("x = 1") == 20_000


def test_an_image_has_its_size_and_its_smaller_copies() -> None:
    """A page does not jump, and a phone loads little."""
    html = render_text("text ![alt](p.png) text").html
    assert 'src="/media/d/p.png" alt="alt"' in html
    assert 'srcset="/media/e/p.webp 480w, /media/d/p.png 1000w"' in html
    assert 'width="1000" height="500" loading="lazy" decoding="async"' in html


@pytest.mark.parametrize("source", ['![a](p.png "words")', '[![a](p.png "words")](/x)'])
def test_an_image_alone_is_a_figure(source: str) -> None:
    """The title of a lone image is its caption."""
    html = render_text(source).html
    assert html.startswith("<figure>")
    assert "<figcaption>words</figcaption></figure>" in html


def test_an_image_is_asked_for_by_its_decoded_path() -> None:
    """A space in a name is a space in the folder."""
    rendered = render_text("![a](my%20p.png)")
    assert rendered.images == ("my p.png",)
    assert "/media/d/p.png" in rendered.html


def test_a_missing_image_becomes_its_words_and_a_warning() -> None:
    """No reader sees a broken image."""
    rendered = render_text("![words](gone.png)")
    assert '<span class="image-missing">words</span>' in rendered.html
    assert any("gone.png" in warning for warning in rendered.warnings)


@pytest.mark.parametrize("linked", [False, True])
def test_an_image_of_another_site_becomes_a_link(*, linked: bool) -> None:
    """A page asks no other site for anything."""
    image = "![words](https://x.example/i.png)"
    html = render_text(f"[{image}](https://y.example)" if linked else image).html
    assert "<img" not in html
    assert html.count("<a ") == 1
    assert "words</" in html


def test_links_out_are_marked_and_links_in_are_not() -> None:
    """Only a link to another site carries `rel`."""
    html = render_text("[a](https://x.example) [b](/c) [c](//y.example)").html
    assert '<a href="https://x.example" rel="external noopener">' in html
    assert '<a href="/c">' in html
    assert '<a href="//y.example" rel="external noopener">' in html


@pytest.mark.parametrize(
    "inner", ["<h2>b</h2>", "<iframe src='https://x.example'></iframe>", "www.x.example"]
)
def test_a_link_never_stands_in_a_link(inner: str) -> None:
    """Neither headings, embeds nor bare URLs make a link inside a link."""
    html = render_text(f'<div><a href="/y">a {inner}</a></div>').html
    assert html.count("<a ") == 1


def test_links_between_files_are_resolved() -> None:
    """A known post is linked; an unknown one loses its link and is named."""
    rendered = render_text("[a](@/a.md#f) [b](@/gone.md)")
    assert '<a href="/articles/a#f">a</a> <span>b</span>' in rendered.html
    assert any("@/gone.md" in warning for warning in rendered.warnings)
    assert rendered.links == ("@/a.md#f", "@/gone.md")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("see https://a.example/b.", "https://a.example/b"),
        ("(https://a.example/b)", "https://a.example/b"),
        ("https://a.example/b_(c)", "https://a.example/b_(c)"),
        ("www.a.example, and", "https://www.a.example"),
        ("<https://a.example>", "https://a.example"),
    ],
)
def test_a_bare_url_becomes_a_link(text: str, url: str) -> None:
    """The punctuation around a URL stays text."""
    assert render_text(text).links == (url,)


@pytest.mark.parametrize("text", ["`https://a.example`", "me@www.a.example", "x.www.a", "https://"])
def test_what_only_looks_like_a_url_stays_text(text: str) -> None:
    """Code and addresses are left alone."""
    assert render_text(text).links == ()


@pytest.mark.parametrize("tag", ["iframe", "video", "audio"])
def test_an_embed_becomes_a_link_to_its_source(tag: str) -> None:
    """Nothing from outside is loaded, nothing is lost."""
    html = render_text(f'<{tag} src="https://v.example/1" title="Talk"></{tag}>').html
    assert '<a href="https://v.example/1" rel="external noopener"' in html
    assert "Talk</a></p>" in html
    assert f"<{tag}" not in html


@pytest.mark.parametrize(
    "source", ['{{ youtube(id="x") }}', "{{< figure src=a >}}", "{% include x %}", "{{% note %}}"]
)
def test_a_shortcode_is_named(source: str) -> None:
    """What another tool would have replaced is shown and reported with its line."""
    warnings = render_text(f"a\n\n{source}").warnings
    assert len(warnings) == 1
    assert warnings[0].startswith("line 3: the shortcode")


def test_a_shortcode_in_code_is_code() -> None:
    """Code may show any braces."""
    assert render_text("`{{ a() }}`\n\n```\n{% b %}\n```").warnings == ()


def test_plain_text_has_the_words_and_nothing_else() -> None:
    """Search sees blocks on lines of their own, without marks and footnote numbers."""
    text = render_text("## A *b*\n\nc [d](/e)[^1]\n\n- f\n- g\n\n[^1]: note").text
    assert text == "A b\nc d\nf\ng\nnote"


def test_words_are_counted_without_code() -> None:
    """The reading time counts what is read; a Chinese character is a word."""
    assert render_text("one two-three don't `four`\n\n```\nnot counted\n```").word_count == 4
    assert render_text("日本語 ok").word_count == 4


def test_reading_takes_at_least_a_minute() -> None:
    """An empty text is no text of zero minutes; half a minute counts as one."""
    assert [render_text("word " * words).minutes for words in (0, 344, 345, 2300)] == [1, 1, 2, 10]


def test_the_excerpt_is_the_first_paragraphs_cut_at_a_word() -> None:
    """An excerpt skips headings, code and figures."""
    excerpt = render_text("## h\n\n```\ncode\n```\n\n" + "word " * 100).excerpt
    assert excerpt.endswith("word…")
    assert excerpt.startswith("word word")
    assert len(excerpt) <= 281


def test_the_writer_may_end_the_excerpt() -> None:
    """What stands above `<!-- more -->` is the excerpt, and the mark is not shown."""
    rendered = render_text("a\n\nb\n\n<!-- more -->\n\nc")
    assert rendered.excerpt == "a b"
    assert "more" not in rendered.html
    assert "<hr" not in rendered.html


def test_too_large_a_source_is_refused() -> None:
    """The sentence says how large is too large."""
    with pytest.raises(TextError, match="512 KiB is the most"):
        render_text("é" * 300_000)


def test_an_image_without_an_area_is_refused() -> None:
    """A page must know how much room to keep."""
    with pytest.raises(ValueError, match="at least 1×1"):
        Image(url="/x", width=0, height=1)
