"""Hexo's tags, blocks of colons and brackets: each argument goes to its place in the Markdown."""

from __future__ import annotations

import pytest

from tests.publishing.importing.markup.test_conversion import convert

EXAMPLES = [
    (
        "{% codeblock Title lang:js https://x.example/ %}\na\n{% endcodeblock %}",
        "Title https://x.example/\n\n```js\na\n```",
    ),
    ("{% codeblock %}\na\n{% endcodeblock %}", "```\na\n```"),
    ("{% blockquote %}\na\n{% endblockquote %}", "\n> a\n\n"),
    ("{% note warning Beware %}\na\n{% endnote %}", "> [!WARNING]\n> **Beware**\n>\n> a\n\n"),
    ("{% note strange %}\na\n{% endnote %}", "> [!NOTE]\n> a\n\n"),
    ('{% asset_img a.png 100 200 "T" %}', "![T](a.png)"),
    ("{% asset_img class a.png %}", "![](a.png)"),
    ("{% img left /a.png 10 20 \"title 'alt'\" %}", "![alt](/a.png)"),
    ("{% img /a.png plain %}", "![plain](/a.png)"),
    ("{% link Two words https://x.example/ %}", "[Two words](https://x.example/)"),
    ("{% link https://x.example/ %}", "https://x.example/"),
    ("{% post_link gone %}", "gone"),
    ("{% post_link gone Text true %}", "Text"),
    ("{% post_link p.md %}", "[p.md](/p/)"),
    ("{% post_path p.md %}", "/p/"),
    ("{% asset_link a.pdf Text false %}", "[Text](a.pdf)"),
    ("{% asset_link a.pdf %}", "[a.pdf](a.pdf)"),
    ("{% asset_path a.pdf %}", "a.pdf"),
    ("{% url_for /a %}", "/a"),
    ("{% iframe https://x.example/ %}", "[https://x.example/](https://x.example/)"),
]


@pytest.mark.parametrize(("text", "markdown"), EXAMPLES)
def test_each_argument_of_a_tag_of_hexo_has_its_place(text: str, markdown: str) -> None:
    """Sizes and options are left out, and a link to no post keeps its text."""
    result = convert(text, "hexo")
    assert (result.text, result.remarks) == (markdown, ())


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("{% asset_img nothing %}", "asset_img"),
        ("{% img nothing %}", "img"),
        ("{% post_path gone %}", "post_path"),
        ("{% iframe %}", "iframe"),
        ("{% asset_link %}", "asset_link"),
    ],
)
def test_a_tag_without_what_it_needs_stays_as_text(text: str, tag: str) -> None:
    """It is named, so that a person can complete it."""
    result = convert(text, "hexo")
    assert result.text == text
    (remark,) = result.remarks
    assert remark.sentence == f"the tag '{tag}' is not known here and stays as text"


@pytest.mark.parametrize(
    ("text", "markdown", "sentences"),
    [
        (
            ":::details Title\na\n:::",
            "<details><summary>Title</summary>\n\na\n\n</details>\n",
            [],
        ),
        (":::note {.c}\na\n:::", "> [!NOTE]\n> a\n\n", []),
        (
            "::::note\na\n:::tip\nb\n:::\n::::",
            "> [!NOTE]\n> a\n> [!TIP]\n> > b\n\n\n\n",
            [],
        ),
        (":::note\na", ":::note\na", ["the block :::note is never closed"]),
        ("a\n:::\nb", "a\n:::\nb", ["the line ::: closes no block and stays as text"]),
        (
            "text :::note\na\n:::",
            "text :::note\na\n:::",
            ["the line ::: closes no block and stays as text"],
        ),
    ],
)
def test_blocks_of_colons_are_paired_by_their_length(
    text: str, markdown: str, sentences: list[str]
) -> None:
    """A line without a partner is named and changes nothing."""
    result = convert(text)
    assert result.text == markdown
    assert [remark.sentence for remark in result.remarks] == sentences


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        (
            '[caption id="x"]<img src="a.png"> Text[/caption]',
            '<figure><img src="a.png"><figcaption>Text</figcaption></figure>',
        ),
        ("[embed]https://x.example/[/embed]", "https://x.example/"),
        ('[video src="a.mp4"]', "[a.mp4](a.mp4)"),
    ],
)
def test_brackets_of_wordpress_keep_their_address(text: str, markdown: str) -> None:
    """A player becomes a link to its file."""
    assert convert(text).text == markdown


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("{% highlight ruby %}\na\n{% endhighlight %}", "```ruby\na\n```"),
        ("{% highlight %}a{% endhighlight %} b", "```\na\n```\n b"),
        ("{% link downloads/a.pdf %}", "/downloads/a.pdf"),
        ("{% post_url 2020-01-01-x %}", "/x/"),
    ],
)
def test_tags_of_jekyll_are_code_and_addresses(text: str, markdown: str) -> None:
    """A file of the site is addressed from its root."""
    result = convert(text, "jekyll")
    assert (result.text, result.remarks) == (markdown, ())
