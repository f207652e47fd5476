"""Formulas become MathML when a text is rendered."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path

import pytest

from app.publishing.text import Rendered, TextError, render
from app.publishing.text.formulas import CLASSES, FormulaError, to_mathml, with_sources

STYLES = Path(__file__).parents[3] / "static/css/prose.css"


def render_text(source: str) -> Rendered:
    """Render without images and posts."""
    return render(source, resolve_image=lambda _: None, resolve_link=lambda _: None)


@pytest.mark.parametrize(
    "source",
    [
        "a $x^2$ b",
        "a $$x^2$$ b",
        r"a \(x^2\) b",
        r"a \[x^2\] b",
        "$$\nx^2\n$$",
        "\\[\nx^2\n\\]",
        "- a\n\n  $$\n  x^2\n  $$",
        "> $$x^2$$",
        "# H $x^2$",
        "| a |\n|---|\n| $x^2$ |",
        "a\n$$\nx^2\n$$\nb",
        "*a $x^2$*",
    ],
)
def test_every_kind_of_mark_makes_a_formula(source: str) -> None:
    """Dollars, parentheses and brackets are read in paragraphs, lists, quotes and tables."""
    html = render_text(source).html
    assert "<msup><mi>x</mi><mn>2</mn></msup></math>" in html
    assert not re.search(r"\$|\\[\[(]", re.sub(r"<math.*?</math>", "", html))


@pytest.mark.parametrize(
    "source",
    [
        "$5 and $10",
        "US$100-$200",
        "$HOME and $PATH",
        "It costs $20 and the US$ price",
        "from $5k to $10k a month",
        "$ x $",
        r"\$x\$",
        "`$x$`",
        "```\n$$x$$\n```",
        "    $$x$$",
        "a$b$c",
        "$a and nothing",
    ],
)
def test_money_prose_and_code_are_no_formulas(source: str) -> None:
    """A dollar that can mean money stays a dollar."""
    result = render_text(source)
    assert "<math" not in result.html
    assert not result.warnings


@pytest.mark.parametrize(
    "source",
    [
        r"\[main\]",
        r"a \[..\] b",
        r"\[x\] done",
        r"\[1\]",
        r"he \(or she\) said",
        r"\[the well-known one\]",
        r"\[link_name\]",
        r"\(and/or\)",
    ],
)
def test_escaped_brackets_are_no_formulas(source: str) -> None:
    """Markdown writes a literal bracket with the same backslash."""
    assert "<math" not in render_text(source).html


@pytest.mark.parametrize(
    "source", [r"\(x\)", r"\(f(x, y)\)", r"a \[a-b\]", r"\[ \text{one or two} \]"]
)
def test_short_formulas_between_brackets_are_read(source: str) -> None:
    """One letter between parentheses, and anything with a sign or a command, is a formula."""
    assert "<math" in render_text(source).html


def test_block_syntax_inside_a_formula_is_not_markdown() -> None:
    """Lines that begin with a minus or an equals sign belong to the formula."""
    html = render_text("$$\nx\n- y\n= z\n$$").html
    assert "<h" not in html
    assert "<li" not in html
    assert html.count("<math") == 1


def test_no_style_is_left_and_every_class_has_a_rule() -> None:
    """The style values of the converter become classes, and colours are dropped."""
    source = r"$$\begin{array}{l|c|r} a & b & c \\ \hline 1 & 2 & \color{red}{3}\end{array}$$"
    html = render_text(source + "\n\n$$\n\\begin{cases} a & b \\end{cases}\n$$").html
    assert " style=" not in html
    assert {"math-left", "math-rule-right", "math-rule-top", "math-apart"} <= set(
        re.findall(r"math-[a-z-]+", html)
    )
    rules = STYLES.read_text(encoding="utf-8")
    assert all(f".{name} " in rules for name in CLASSES)


@pytest.mark.parametrize(
    "latex",
    [
        r"\text{<script>alert(1)</script>}",
        r"\href{javascript:alert(1)}{x}",
        r"\text{<img src=x onerror=alert(1)>}",
    ],
)
def test_a_formula_cannot_carry_live_html(latex: str) -> None:
    """Text in a formula is escaped, and links are not known."""
    html = render_text(f"${latex}$").html
    assert not re.search(r"<(?:script|img|a)\b|<[^<>]*href", html)


@pytest.mark.parametrize(
    "html",
    [
        "<math><maction><mi>q</mi></maction></math>",
        '<math href="javascript:x"><mi style="color:red" onclick="x">q</mi></math>',
        '<math><annotation-xml encoding="text/html"><img src=x onerror=x></annotation-xml><mi>q</mi></math>',
    ],
)
def test_mathml_of_the_writer_is_sanitised(html: str) -> None:
    """MathML in a text may contain only what formulas need."""
    result = render_text(html).html
    assert not re.search(r"maction|href|style|onclick|annotation|onerror", result)
    assert "<mi>q</mi>" in result


def test_a_formula_that_fails_stays_as_source_with_a_warning() -> None:
    """The warning names the line and the reason."""
    result = render_text("a\n\nb $\\foo{x}$ c")
    assert "<code>\\foo{x}</code>" in result.html
    assert re.match(r"line 3: the formula .*\\foo", result.warnings[0])


@pytest.mark.parametrize(("depth", "passes"), [(200, True), (201, False), (1000, False)])
@pytest.mark.parametrize(
    "wrap", [r"{%s}", r"\left(%s\right)", r"\begin{matrix}%s\end{matrix}", r"\sqrt{%s}"]
)
def test_depth_is_checked_before_the_call(wrap: str, depth: int, *, passes: bool) -> None:
    """Braces, fences and environments count; deep nesting would end the process."""
    before, after = wrap.split("%s")
    latex = before * depth + "x" + after * depth
    if len(latex) > 4096:
        latex = latex[:4096]
    if passes and len(latex) < 4096:
        assert "<math" in to_mathml(latex, is_block=False)
    elif not passes:
        with pytest.raises(FormulaError, match=r"levels deep"):
            to_mathml(before * depth, is_block=False) if len(before) * depth <= 4096 else to_mathml(
                "{" * depth, is_block=False
            )


def test_length_is_checked_before_the_call() -> None:
    """A formula of more than 4,096 characters stays as its source."""
    assert "<math" in render_text(f"${'x' * 4096}$").html
    result = render_text(f"${'x' * 4097}$")
    assert "<math" not in result.html
    assert "4097 characters" in result.warnings[0]


def test_search_and_excerpt_contain_the_source() -> None:
    """The words of a formula are its LaTeX, each character once."""
    result = render_text(r"Let $\alpha < x^2$ be.")
    assert result.text == r"Let \alpha < x^2 be."
    assert result.excerpt == result.text


def test_feeds_contain_the_source() -> None:
    """Feed readers drop MathML, so a feed has the LaTeX as code."""
    html = render_text(r"a $x < y$ b $z$").html
    assert with_sources(html) == "<p>a <code>x &lt; y</code> b <code>z</code></p>\n"


@pytest.mark.parametrize("piece", ["$", "$$", "$a", "$ ", "$$\n", "$\\x$", "\\)", "$a$$", "\\\\["])
def test_many_marks_need_bounded_time(piece: str) -> None:
    """Half a megabyte of marks is rendered or refused without a quadratic search."""
    began = time.process_time()
    with suppress(TextError):
        render_text(piece * (500_000 // len(piece)))
    assert time.process_time() - began < 30


def test_an_escaped_dollar_inside_a_formula_does_not_end_it() -> None:
    r"""`\$` is a currency sign in LaTeX, so the next dollar closes the formula."""
    html = render_text(r"It is $a\$b$ here").html
    assert html.count("<math") == 1
    assert html.rstrip().endswith("</math> here</p>")


def test_a_formula_in_the_text_of_a_link_is_a_formula() -> None:
    """The parser skips the text of a link once before it reads it."""
    html = render_text("[the law $x^2$](https://example.com/law)").html
    assert re.search(r"<a [^>]*>the law <math", html)


def test_a_block_that_leaves_its_list_is_no_formula() -> None:
    """The closing mark belongs to another paragraph, and no text is lost."""
    html = render_text("- a\n\n  $$\n  x^2\n\nb\n\n$$").html
    assert "<math" not in html
    assert "x^2" in html
    assert "b" in html


def test_indented_code_after_a_paragraph_is_no_formula() -> None:
    """Four spaces are code, also before the marks of a formula."""
    html = render_text("a\n\n    $$\n    x\n    $$").html
    assert "<math" not in html
    assert "<code>" in html
