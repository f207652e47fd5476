"""The table of rules: what each key of each tool means for the publication of a post.

Pure: a key, its value and the tool in, a reason out. A value that no rule explains means a draft.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from app.publishing.importing import dates
from app.publishing.importing.configuration import Tool

from .state import Judge, Reason, Rule, State

_YES = frozenset({"true", "yes", "on", "1", "y", "t"})
_NO = frozenset({"false", "no", "off", "0", "n", "f"})


def is_empty(value: Any) -> bool:
    """Whether a key has no value in the front matter."""
    return value is None or (isinstance(value, str) and not value.strip())


def truth_of(value: Any) -> bool | None:
    """Return whether a value means true or false; None for any other value."""
    text = str(value).strip().lower()
    if text in _YES:
        return True
    return False if text in _NO else None


def _not_understood(key: str, value: Any) -> Reason:
    text = str(value)[:60]
    return Reason(
        key=key,
        state=State.DRAFT,
        sentence=f"is a draft, because the value of {key} is not understood: {text!r}",
    )


def _restrict(key: str, state: State, sentence: str = "") -> Reason:
    outcome = {
        State.UNLISTED: f"is a draft, because {key} hides it from lists: it was reachable by its "
        "address only",
        State.ARCHIVED: f"is archived, because of {key}",
        State.DRAFT: f"is a draft, because of {key}",
        State.SKIPPED: f"is skipped, because of {key}",
    }
    return Reason(key=key, state=state, sentence=sentence or outcome[state])


def _hold_if_true(state: State) -> Judge:
    """Restrict the post where the key is true; an empty key restricts nothing."""

    def judge(key: str, value: Any, _tool: Tool | None) -> Reason | None:
        if is_empty(value):
            return None
        truth = truth_of(value)
        if truth is None:
            return _not_understood(key, value)
        return _restrict(key, state) if truth else None

    return judge


def _hold_if_false(state: State, *, empty: State | None = None) -> Judge:
    """Restrict the post where the key is false; `empty` is the state of a key without a value."""

    def judge(key: str, value: Any, _tool: Tool | None) -> Reason | None:
        if is_empty(value):
            return None if empty is None else _restrict(key, empty)
        truth = truth_of(value)
        if truth is None:
            return _not_understood(key, value)
        return None if truth else _restrict(key, state)

    return judge


def _judge_published(key: str, value: Any, tool: Tool | None) -> Reason | None:
    if is_date(value):
        return None
    return _hold_if_false(State.DRAFT, empty=State.DRAFT)(key, value, tool)


def is_date(value: Any) -> bool:
    """Whether a value is a date; numbers are not."""
    if isinstance(value, (date, datetime)):
        return True
    if not isinstance(value, str) or truth_of(value) is not None:
        return False
    try:
        dates.parse(value)
    except ValueError:
        return False
    return True


def _judge_draft(key: str, value: Any, tool: Tool | None) -> Reason | None:
    reason = _hold_if_true(State.DRAFT)(key, value, tool)
    is_understood = truth_of(value) is not None
    sentence = "is a draft; Jekyll published it" if tool is Tool.JEKYLL else ""
    return (
        Reason(key=key, state=State.DRAFT, sentence=sentence)
        if reason and is_understood
        else reason
    )


_STATUS_STATES = {
    **dict.fromkeys(("published", "publish", "featured", "public"), State.PUBLISHED),
    **dict.fromkeys(("scheduled", "future"), State.SCHEDULED),
    **dict.fromkeys(("skip", "trash"), State.SKIPPED),
    "archived": State.ARCHIVED,
    "draft": State.DRAFT,
    "hidden": State.UNLISTED,
}


def _judge_status(key: str, value: Any, tool: Tool | None) -> Reason | None:
    """Pelican, Nikola, and the converters of WordPress and Ghost have a key of this name."""
    text = str(value).strip().lower()
    state = State.PUBLISHED if is_empty(value) else _STATUS_STATES.get(text)
    if text == "private" and tool is Tool.NIKOLA:
        state = State.UNLISTED
    if state is State.PUBLISHED:
        return None
    if state is None:
        return _restrict(key, State.DRAFT, f"is a draft, because its {key} is {text[:60]!r}")
    if state in {State.SKIPPED, State.UNLISTED}:
        return _restrict(key, state)
    return Reason(key=key, state=state)


def _judge_visibility(key: str, value: Any, _tool: Tool | None) -> Reason | None:
    if is_empty(value) or str(value).strip().lower() == "public":
        return None
    return _restrict(key, State.DRAFT)


def _judge_secret(key: str, value: Any, _tool: Tool | None) -> Reason | None:
    """A text behind a password; the value itself is never stored and never printed."""
    if is_empty(value) or value is False or (key != "password" and truth_of(value) is False):
        return None
    return _restrict(key, State.DRAFT)


def _judge_render(key: str, value: Any, _tool: Tool | None) -> Reason | None:
    text = str(value).strip().lower()
    if is_empty(value) or text == "always" or truth_of(value) is True:
        return None
    if text in {"never", "link"} or truth_of(value) is False:
        return _restrict(key, State.DRAFT)
    return _not_understood(key, value)


def _judge_list(key: str, value: Any, _tool: Tool | None) -> Reason | None:
    text = str(value).strip().lower()
    if is_empty(value) or text == "always" or truth_of(value) is True:
        return None
    if text == "local":
        sentence = f"is in all lists now; {key} kept it in those of its section"
        return Reason(key=key, state=State.PUBLISHED, sentence=sentence)
    if text == "never" or truth_of(value) is False:
        return _restrict(key, State.UNLISTED)
    return _not_understood(key, value)


def _judge_outputs(key: str, value: Any, _tool: Tool | None) -> Reason | None:
    names = value if isinstance(value, list) else [value]
    if value is None or "html" in {str(name).strip().lower() for name in names}:
        return None
    return _restrict(key, State.DRAFT, "is a draft, because its outputs are without html")


def _judge_permalink(key: str, value: Any, _tool: Tool | None) -> Reason | None:
    if isinstance(value, Mapping):
        build = value.get("build")
        return None if build and truth_of(build) is not False else _restrict(key, State.DRAFT)
    if value is False or str(value).strip().lower() == "false":
        return _restrict(key, State.DRAFT, "is a draft, because permalink: false gave it no page")
    return None


def _judge_redirect(key: str, value: Any, _tool: Tool | None) -> Reason | None:
    if is_empty(value) or value == []:
        return None
    sentence = f"is a draft, because {key} showed another page in its place"
    return _restrict(key, State.DRAFT, sentence)


def _judge_theme_redirect(key: str, value: Any, _tool: Tool | None) -> Reason | None:
    """Hold a post back whose theme redirects; `redirect` may also be a switch of a theme."""
    if not isinstance(value, str) or not value.strip().startswith(("/", "http://", "https://")):
        return None
    return _judge_redirect(key, value, _tool)


def _judge_collections(key: str, value: Any, tool: Tool | None) -> Reason | None:
    if isinstance(value, list):
        return None
    return _hold_if_true(State.UNLISTED)(key, value, tool)


def _judge_sitemap(key: str, value: Any, _tool: Tool | None) -> Reason | None:
    disable_value = value.get("disable") if isinstance(value, Mapping) else None
    if value is False or truth_of(disable_value) is True or str(value).strip().lower() == "false":
        sentence = "is in the sitemap now; the old site left it out"
        return Reason(key=key, state=State.PUBLISHED, sentence=sentence)
    return None


def _judge_robots(key: str, value: Any, _tool: Tool | None) -> Reason | None:
    if "noindex" not in str(value).lower():
        return None
    sentence = "may be found by search engines now; the old site asked them not to list it"
    return Reason(key=key, state=State.PUBLISHED, sentence=sentence)


def _judge_tags(key: str, value: Any, tool: Tool | None) -> Reason | None:
    for name in tag_names(value):
        if name.lower() == "draft":
            return _restrict(key, State.DRAFT, "is a draft, because it has the tag draft")
        if name == "private":
            state = State.UNLISTED if tool is Tool.NIKOLA else State.DRAFT
            return _restrict(key, state, "is a draft, because it has the tag private")
    return None


def tag_names(value: Any) -> Iterator[str]:
    """Yield the tags of a list, or of a text with commas."""
    values = value if isinstance(value, list) else str(value or "").split(",")
    return (str(name).strip() for name in values)


_ADDRESS_ONLY = "draft, named: it was reachable by its address only"

RULES = (
    Rule(
        keys=("draft", "is_draft"),
        tools="all",
        effect="true: draft",
        judge=_judge_draft,
    ),
    Rule(
        keys=("published",),
        tools="Jekyll, Hexo, Hugo",
        effect="false or empty: draft; a date schedules",
        judge=_judge_published,
    ),
    Rule(
        keys=("publish", "is_published"),
        tools="note tools, themes",
        effect="false or empty: draft",
        judge=_hold_if_false(State.DRAFT, empty=State.DRAFT),
    ),
    Rule(
        keys=("status", "post_status"),
        tools="Pelican, Nikola, WordPress and Ghost converters",
        effect="published, publish, featured: public; scheduled, future: scheduled; archived: "
        "archived; hidden: draft; skip, trash: skipped; all else: draft",
        judge=_judge_status,
    ),
    Rule(
        keys=("visibility", "access"),
        tools="Ghost, converters",
        effect="all but public: draft",
        judge=_judge_visibility,
    ),
    Rule(
        keys=("password", "protected", "encrypt"),
        tools="WordPress converters, hexo-blog-encrypt, themes",
        effect="not empty: draft; the value is never stored",
        judge=_judge_secret,
    ),
    Rule(
        keys=("email_only", "sent"),
        tools="Ghost",
        effect="true: draft",
        judge=_hold_if_true(State.DRAFT),
    ),
    Rule(
        keys=("headless",),
        tools="Hugo",
        effect="true: draft",
        judge=_hold_if_true(State.DRAFT),
    ),
    Rule(
        keys=("build.render", "render"),
        tools="Hugo, Zola",
        effect="never, link, false: draft",
        judge=_judge_render,
    ),
    Rule(
        keys=("build.list",),
        tools="Hugo",
        effect="never, false: draft; local: public, named",
        judge=_judge_list,
    ),
    Rule(
        keys=("outputs",),
        tools="Hugo",
        effect="without html: draft",
        judge=_judge_outputs,
    ),
    Rule(
        keys=("sitemap",),
        tools="Hugo, Jekyll",
        effect="disabled: public, named",
        judge=_judge_sitemap,
    ),
    Rule(
        keys=("robots",),
        tools="themes",
        effect="noindex: public, named",
        judge=_judge_robots,
    ),
    Rule(
        keys=("permalink",),
        tools="Eleventy",
        effect="false, or build: false: draft",
        judge=_judge_permalink,
    ),
    Rule(
        keys=("redirect_to",),
        tools="Zola, jekyll-redirect-from",
        effect="draft: the old site redirected instead of showing the text",
        judge=_judge_redirect,
    ),
    Rule(
        keys=("redirect", "redirect_url"),
        tools="themes",
        effect="an address: draft: the old site redirected instead of showing the text",
        judge=_judge_theme_redirect,
    ),
    Rule(
        keys=("eleventyExcludeFromCollections",),
        tools="Eleventy",
        effect=f"true: {_ADDRESS_ONLY}; a list: public",
        judge=_judge_collections,
    ),
    Rule(
        keys=("unlisted", "hidden", "hide", "hidden_in_home", "hiddenInHomeList", "searchHidden"),
        tools="Docusaurus, themes",
        effect=f"true: {_ADDRESS_ONLY}",
        judge=_hold_if_true(State.UNLISTED),
    ),
    Rule(
        keys=("exclude_from_feed", "noindex"),
        tools="themes",
        effect=f"true: {_ADDRESS_ONLY}",
        judge=_hold_if_true(State.UNLISTED),
    ),
    Rule(
        keys=("listed", "visible"),
        tools="themes",
        effect=f"false: {_ADDRESS_ONLY}",
        judge=_hold_if_false(State.UNLISTED),
    ),
    Rule(
        keys=("private", "wip", "ignore", "disabled", "members_only", "paywall"),
        tools="themes, note tools",
        effect="true: draft",
        judge=_hold_if_true(State.DRAFT),
    ),
    Rule(
        keys=("archived",),
        tools="note tools",
        effect="true: archived",
        judge=_hold_if_true(State.ARCHIVED),
    ),
    Rule(
        keys=("tags",),
        tools="Nikola",
        effect="with draft or private: draft",
        judge=_judge_tags,
    ),
)
"""Keys are compared without case, `-` and `_`; `a.b` is the key `b` in the table `a`."""
