"""Tags of other tools become Markdown, are removed, or are named."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.publishing.importing.markup import ConvertedText, MarkupContext, convert_markup

CONTEXT = MarkupContext(
    find_post={
        "2020-01-01-x": "/x/",
        "_posts/2020-01-01-x.md": "/x/",
        "p.md": "/p/",
        "Page": "/w/",
    }.get,
    templates={"image": "![{1}]({0})", "box": "> {body}", "hr": "---"},
    values={"page.title": "Title", "page.colour": "red"},
    site_url="https://old.example",
)


def convert(text: str, tool: str = "") -> ConvertedText:
    """Convert with a few posts, a template and a variable."""
    return convert_markup(text, tool, CONTEXT)


@pytest.mark.parametrize(
    ("tool", "text", "markdown"),
    [
        ("jekyll", "a\n{% comment %}private{% endcomment %}\nb", "a\n\nb"),
        (
            "jekyll",
            "a {%- comment -%}p {% comment %}q{% endcomment %} r{%- endcomment -%} b",
            "a  b",
        ),
        ("jekyll", "a {% # private %} b", "a  b"),
        ("jekyll", "`{% comment %}private{% endcomment %}`", "``"),
        ("", "a {% comment %}private{% endcomment %} b", "a  b"),
        ("", "{::comment}\nprivate\n{:/comment}\nb", "\nb"),
        ("", "a {::comment}private{:/} b", "a  b"),
        ("hugo", "a {{< comment >}}private{{< /comment >}} b", "a  b"),
        ("hugo", "a {{% comment %}}private{{% /comment %}} b", "a  b"),
        ("hugo", '{{< comment "private" />}} b', " b"),
        ("hugo", "```\n{{</* figure src=x */>}}\n```", "```\n{{< figure src=x >}}\n```"),
        ("hugo", "`{{%/* x */%}}`", "`{{% x %}}`"),
        ("eleventy", "a {# private #} b", "a  b"),
        ("hexo", "a {# private #} b", "a  b"),
        ("zola", "a {# private #} b", "a  b"),
        ("", "{{ page.title }} {# private #}", "Title "),
        ("", "a %% private %% b", "a  b"),
        ("", "%%\nprivate\n\nprivate\n%%\nb", "\nb"),
        ("", "[//]: # (private)\nb", "\nb"),
        ("", "[comment]: <> (private)\nb", "\nb"),
        ("", "a <!-- private --> b", "a  b"),
        ("", "a\n<!--members-only-->\nprivate", "a\n"),
        (
            "",
            '<!--kg-gated-block:begin nonMember:false memberSegment:"status:free"-->private<!--kg-gated-block:end-->b',
            "b",
        ),
        (
            "",
            '<!--kg-gated-block:begin nonMember:true memberSegment:""-->b<!--kg-gated-block:end-->',
            "b",
        ),
        ("", "a <!--kg-gated-block:begin nonMember:false-->private", "a "),
        ("docusaurus", "a {/* private */} b", "a  b"),
    ],
)
def test_text_that_was_never_shown_is_removed(tool: str, text: str, markdown: str) -> None:
    """Comments and blocks for members do not reach readers."""
    result = convert(text, tool)
    assert result.text == markdown
    assert not result.hold_back_reasons


@pytest.mark.parametrize(
    "text",
    [
        "{% if page.x %}a{% endif %}",
        "{% unless x %}a{% endunless %}",
        "{% for x in y %}a{% endfor %}",
        "{% include private.html %}",
        '{% assign x = "a" %}',
        "{% members_only %}a{% endmembers_only %}",
        "{{< private >}}a{{< /private >}}",
        "[member]a[/member]",
        "[restrict_content level=1]a[/restrict_content]",
        "{% comment %} never closed",
        "a {% endcomment %}",
        "{::comment} never closed",
        "a {:/comment}",
        "{{< comment >}} never closed",
        "a\n%%\nnever closed",
        "<!--kg-gated-block:begin nonMember:false",
    ],
)
def test_text_that_may_be_private_holds_the_post_back(text: str) -> None:
    """What nobody can decide keeps the post a draft, with a reason."""
    assert convert(text).hold_back_reasons


@pytest.mark.parametrize("text", ["Write `{{< comment >}}`.", "```\n{{< /comment >}}\n```"])
def test_code_that_mentions_a_comment_is_text_unless_hugo_expands_it(text: str) -> None:
    """Hugo expands shortcodes inside code; a file of an unknown tool may be about Hugo."""
    assert not convert(text).hold_back_reasons
    assert convert(text).text == text
    assert convert(text, "hugo").hold_back_reasons


@pytest.mark.parametrize(
    ("tool", "text", "markdown"),
    [
        (
            "jekyll",
            "{% highlight ruby linenos %}\nputs 1\n{% endhighlight %}\nx",
            "```ruby\nputs 1\n```\nx",
        ),
        (
            "jekyll",
            "{% highlight md %}\n```\na\n```\n{% endhighlight %}",
            "````md\n```\na\n```\n````",
        ),
        (
            "jekyll",
            "- a\n  {% highlight c %}\n  b\n  {% endhighlight %}",
            "- a\n  ```c\n  b\n  ```",
        ),
        ("jekyll", "`{% raw %}{{ x }}{% endraw %}`", "`{{ x }}`"),
        ("jekyll", "{% raw %}{% if x %}{{< y >}}{% endraw %}", "{% if x %}{{< y >}}"),
        ("jekyll", "[a]({% link _posts/2020-01-01-x.md %})", "[a](/x/)"),
        ("jekyll", "[a]({% link assets/a.pdf %})", "[a](/assets/a.pdf)"),
        ("jekyll", "[a]({% post_url 2020-01-01-x %})", "[a](/x/)"),
        ("jekyll", "[a]({{ site.baseurl }}/x)", "[a](/x)"),
        ("jekyll", "[a]({{ site.url }}{{ site.baseurl }}/x)", "[a](https://old.example/x)"),
        ("jekyll", "![a]({{ '/b.png' | relative_url }})", "![a](/b.png)"),
        ("jekyll", '[a]({{ "/b" | absolute_url }})', "[a](/b)"),
        ("jekyll", "{{ page.title }}", "Title"),
        ("jekyll", "{% gist abc/123 %}", "[Gist on GitHub](https://gist.github.com/abc/123)"),
        ("jekyll", "a{% seo %}", "a"),
        ("hugo", '{{< figure src="a.png" alt="A" caption="C" >}}', '![A](a.png "C")'),
        ("hugo", '{{< figure src="a b.png" caption="C" link="/l" >}}', '[![C](<a b.png> "C")](/l)'),
        ("hugo", '{{< figure src="a.png" caption="by *C*" >}}', "![by *C*](a.png)\n\nby *C*\n"),
        ("hugo", "{{< highlight go >}}\n    a\n      b\n{{< /highlight >}}", "```go\na\n  b\n```"),
        ("hugo", '[a]({{< ref "p.md" >}}) [b]({{< relref "p.md#c" >}})', "[a](/p/) [b](/p/#c)"),
        ("hugo", '[a]({{< ref "#c" >}})', "[a](#c)"),
        ("hugo", "{{< youtube abc >}}", "[Video on YouTube](https://www.youtube.com/watch?v=abc)"),
        ("hugo", '{{< vimeo id="12" title="T" >}}', "[T](https://vimeo.com/12)"),
        ("hugo", "{{< gist me 12 >}}", "[Gist on GitHub](https://gist.github.com/me/12)"),
        (
            "hugo",
            '{{< tweet user="me" id="12" >}}',
            "[Post on Twitter](https://twitter.com/me/status/12)",
        ),
        (
            "hugo",
            '{{< details summary="S" >}}a{{< /details >}}',
            "<details><summary>S</summary>\n\na\n\n</details>\n",
        ),
        ("hugo", "{{< param colour >}}", "red"),
        ("hugo", '{{< qr text="a" />}}', "a"),
        (
            "zola",
            '{{ youtube(id="abc") }}',
            "[Video on YouTube](https://www.youtube.com/watch?v=abc)",
        ),
        ("hexo", '{% asset_img a.png "T" %}', "![T](a.png)"),
        ("hexo", "{% post_link p.md Text %}", "[Text](/p/)"),
        ("hexo", "{% blockquote Me %}\na\nb\n{% endblockquote %}", "\n> a\n> b\n\n\n\n— Me\n"),
        ("hexo", "{% codeblock lang:js %}\na\n{% endcodeblock %}", "```js\na\n```"),
        ("hexo", "{% link Text https://x.example/ %}", "[Text](https://x.example/)"),
        ("", "# H {: #id .c}", "# H {#id}"),
        ("", "# H\n{: #id}", "# H {#id}\n"),
        ("", "*a*{: .b}", "*a*"),
        ("", "* TOC\n{:toc}\na", "\na"),
        ("", "[TOC]\n\na", "\n\na"),
        (
            "",
            "a <!--more read on--> b <!-- TEASER_END --> <!-- truncate -->",
            "a <!-- more --> b <!-- more --> <!-- more -->",
        ),
        ("", "<!--more-->", "<!--more-->"),
        ("", ":::tip[T]\na\n:::", "> [!TIP]\n> **T**\n>\n> a\n\n"),
        ("", "[[Page]] [[Page|l]] ![[a.png]]", "[Page](/w/) [l](/w/) ![](a.png)"),
        (
            "",
            "[caption id=x]<img src=a> W[/caption]",
            "<figure><img src=a><figcaption>W</figcaption></figure>",
        ),
        ("", "{{< image a.png Alt >}}", "![Alt](a.png)"),
        ("", "{{< box >}}a{{< /box >}}", "> a"),
        ("", "{% image a.png Alt %} {% hr %}", "![Alt](a.png) ---"),
        ("", "<!-- wp:paragraph -->\n<p>a</p>\n<!-- /wp:paragraph -->", "\n<p>a</p>\n"),
    ],
)
def test_a_known_tag_becomes_markdown(tool: str, text: str, markdown: str) -> None:
    """The closed sets of Jekyll and Hugo, and the common tags of others, are converted."""
    result = convert(text, tool)
    assert result.text == markdown
    assert not result.hold_back_reasons


@pytest.mark.parametrize(
    "text",
    [
        "```\n{% comment %}a{% endcomment %} <!-- b --> {::comment}c{:/}\n```",
        "`{{< figure src=a >}}` `{% if x %}` `[[a]]`",
        "~~~\n:::note\na\n:::\n~~~",
        "100%% sure, 50%% not",
        "$a$ {b} [c](d) [e] ![f](g) [h][i]",
    ],
)
def test_code_and_ordinary_text_stay_as_they_are(text: str) -> None:
    """Outside Jekyll, nothing inside code is read as a tag."""
    result = convert(text)
    assert (result.text, result.remarks, result.hold_back_reasons) == (text, (), ())


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("a\n\n{{< foo >}}", 3, "'foo'"),
        ("{% comment %}\n\n{% endcomment %}\n{% bar %}", 4, "'bar'"),
        ("a\n[[None]]", 2, "[[None]]"),
        ("a\n<script>b</script>", 2, "<script>"),
        ("a\n<style>b</style>", 2, "<style>"),
        ("a\n*b*{: .c}", 2, "attribute list"),
        ("a\n<Tabs />", 2, "<Tabs>"),
        (":::foo\na\n:::", 1, ":::foo"),
        ("a\n[gallery ids=1]", 2, "'gallery'"),
        ("{% highlight a %}x{% endhighlight %}\n{{ foo }}", 2, "'foo'"),
    ],
)
def test_what_is_not_converted_is_named_with_its_line(text: str, line: int, word: str) -> None:
    """A remark counts the lines of the file, also below a block that was removed."""
    remarks = convert(text).remarks
    assert any(remark.line == line and word in remark.sentence for remark in remarks), remarks


def test_unknown_tags_can_hold_a_post_back() -> None:
    """With the option an unknown tag is a reason to keep the post a draft."""
    context = MarkupContext(drafts_for_unknown_tags=True)
    assert convert_markup("{{< foo >}}", "hugo", context).hold_back_reasons
    assert not convert_markup("{{< youtube a >}}", "hugo", context).hold_back_reasons


def test_raw_html_that_hugo_did_not_show_is_named_once() -> None:
    """With Hugo's default settings raw HTML appears here for the first time."""
    result = convert_markup("<b>a</b> <i>b</i>", "hugo", MarkupContext(hides_raw_html=True))
    assert [remark.line for remark in result.remarks] == [1]


PIECES = [
    "a",
    "word",
    " ",
    "\n",
    "\n\n",
    "{{< ",
    " >}}",
    "{% ",
    " %}",
    "{{ ",
    " }}",
    "`",
    "```\n",
    "<!-- ",
    " -->",
    "%%",
    ":::note\n",
    ":::\n",
    "[[",
    "]]",
    "[caption]",
    "[/caption]",
    "{: .x}",
    "# ",
    "highlight",
    "/highlight",
    "raw",
    "endraw",
    'x="y"',
    "(",
    ")",
]


@given(
    st.lists(st.sampled_from(PIECES), max_size=30), st.sampled_from(["", "hugo", "jekyll", "zola"])
)
def test_lines_are_numbered_and_words_outside_tags_stay(pieces: list[str], tool: str) -> None:
    """Each line of the result has the number of its origin, in order, and a second run agrees."""
    text = "".join(["beginning\n\n", *pieces])
    result = convert(text, tool)
    assert len(result.lines) == result.text.count("\n") + 1
    assert list(result.lines) == sorted(result.lines)
    assert result.text.startswith("beginning")
    assert convert(text, tool) == result


@given(st.lists(st.text("abcde \n*_#-.,!?()'", max_size=20), max_size=10))
def test_text_without_tags_is_not_changed(pieces: list[str]) -> None:
    """Plain Markdown comes through byte for byte."""
    text = "\n".join(pieces)
    assert convert(text).text == text


@given(
    st.lists(
        st.sampled_from(
            [
                "{% foo %}",
                "{{< bar x=1 >}}",
                "*a*{: .b}",
                "{% raw %}{{ z }}{% endraw %}",
                ":::tip\n\nin\n\n:::\n",
            ]
        )
    )
)
def test_no_word_outside_tags_is_lost(tags: list[str]) -> None:
    """The words between, before and after tags are all there, in their order."""
    words = [f"word{number}" for number in range(len(tags) + 1)]
    text = "".join(f"{word}\n\n{tag}\n\n" for word, tag in zip(words, [*tags, ""], strict=True))
    result = convert(text).text
    places = [result.find(word) for word in words]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("tool", ["", "jekyll"])
@pytest.mark.parametrize(
    "piece",
    [
        "{{<",
        "{{< a ",
        "{% comment %}",
        "{% raw %}",
        "{% a %}",
        "{::comment}",
        "<!--",
        "<!--kg-gated-block:begin-->",
        "[[a",
        "[member] ",
        ":::note\n",
        "`{{",
        "{/*",
        "%% ",
        "{: a=b ",
        '{{< a b="',
        "[//]: # (",
    ],
)
def test_a_hostile_text_needs_bounded_time(piece: str, tool: str) -> None:
    """A megabyte of one opening mark is read in time proportional to its length."""
    text = piece * (1024 * 1024 // len(piece))
    began = time.process_time()
    convert(text, tool)
    assert time.process_time() - began < 20
