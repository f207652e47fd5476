"""Importing posts in several languages: which language each one gets, its slug and its redirects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing.actions import SiteDraft, save_site
from app.publishing.editing.rendering import find_typography
from app.publishing.errors import Invalid
from app.publishing.importing.folder import import_folder
from app.publishing.importing.report import Report
from app.publishing.models import Post, Redirect, Site, Status
from app.publishing.permissions import SYSTEM

Posts = dict[str, tuple[str, str | None]]


def post(title: str, *lines: str) -> str:
    """Return a file with a date and these lines of front matter."""
    front = "\n".join((f'title: "{title}"', "date: 2020-02-01", *lines))
    return f"---\n{front}\n---\nText of {title}.\n"


@pytest.fixture
def take(app: Flask, tmp_path: Path, now: datetime) -> Callable[..., Report]:
    """Write these files below a folder and import it."""

    def write_and_import(files: Mapping[str, str], **options: Any) -> Report:
        for name, text in files.items():
            path = tmp_path / "old" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return import_folder(tmp_path / "old", now=now, **options)

    return write_and_import


def imported() -> Posts:
    """Return slug and language of each post by its title."""
    posts = db.session.scalars(sa.select(Post).order_by(Post.id))
    return {post.title: (post.slug, post.language) for post in posts}


def redirects() -> dict[str, str]:
    """Return the path of the post that each old address leads to."""
    rows = db.session.scalars(sa.select(Redirect))
    return {row.source: row.post.path for row in rows if row.post}


HUGO = (
    'baseURL = "https://example.com"\ndefaultContentLanguage = "en"\n[languages.en]\nweight = 1\n'
)
PERSIAN = "[languages.fa]\nweight = 2\n"

SITES: dict[str, tuple[dict[str, str], Posts, dict[str, str]]] = {
    "Hugo, by file name": (
        {
            "hugo.toml": HUGO + PERSIAN,
            "content/posts/bread/index.md": post("Bread"),
            "content/posts/bread/index.fa.md": post("نان"),
            "content/posts/tea.FA.md": post("چای"),
        },
        {"Bread": ("bread", None), "نان": ("bread-fa", "fa"), "چای": ("tea-fa", "fa")},
        {"/posts/bread": "/articles/bread", "/fa/posts/bread": "/articles/bread-fa"},
    ),
    "Hugo, by content folder": (
        {
            "hugo.toml": HUGO.replace("weight = 1", 'contentDir = "content/en"')
            + PERSIAN.replace("weight = 2", 'contentDir = "content/persian"'),
            "content/en/posts/bread.md": post("Bread"),
            "content/persian/posts/bread.md": post("نان"),
        },
        {"Bread": ("bread", None), "نان": ("bread-fa", "fa")},
        {"/posts/bread": "/articles/bread", "/fa/posts/bread": "/articles/bread-fa"},
    ),
    "Hugo, the default language in a folder of the address": (
        {
            "hugo.toml": "defaultContentLanguageInSubdir = true\n" + HUGO + PERSIAN,
            "content/posts/bread.md": post("Bread"),
            "content/posts/bread.fa.md": post("نان"),
        },
        {"Bread": ("bread", None), "نان": ("bread-fa", "fa")},
        {"/en/posts/bread": "/articles/bread", "/fa/posts/bread": "/articles/bread-fa"},
    ),
    "Hugo, a name that is no tag": (
        {
            "hugo.toml": HUGO + '[languages.cn]\nlanguageCode = "zh-cn"\n',
            "content/posts/bread.md": post("Bread"),
            "content/posts/bread.cn.md": post("面包"),
        },
        {"Bread": ("bread", None), "面包": ("bread-zh-cn", "zh-CN")},
        {"/posts/bread": "/articles/bread", "/cn/posts/bread": "/articles/bread-zh-cn"},
    ),
    "Zola": (
        {
            "config.toml": 'base_url = "https://example.com"\n[languages.fr]\n',
            "content/blog/bread.md": '+++\ntitle = "Bread"\ndate = 2020-02-01\n+++\nText.\n',
            "content/blog/bread.fr.md": '+++\ntitle = "Pain"\ndate = 2020-02-01\n+++\nTexte.\n',
        },
        {"Bread": ("bread", None), "Pain": ("bread-fr", "fr")},
        {"/blog/bread": "/articles/bread", "/fr/blog/bread": "/articles/bread-fr"},
    ),
    "Jekyll with polyglot": (
        {
            "_config.yml": "languages: [en, fr]\ndefault_lang: en\npermalink: /:title/\n",
            "_posts/2020-02-01-bread.md": post("Bread", "lang: en", "permalink: /bread/"),
            "_posts/2020-02-01-pain.md": post("Pain", "Lang: fr", "permalink: /bread/"),
            "_posts/2020-02-01-tea.md": post("Tea"),
        },
        {"Bread": ("bread", "en"), "Pain": ("bread-fr", "fr"), "Tea": ("tea", None)},
        {
            "/bread": "/articles/bread",
            "/fr/bread": "/articles/bread-fr",
            "/fr/tea": "/articles/tea",
        },
    ),
    "Pelican": (
        {
            "pelicanconf.py": 'DEFAULT_LANG = "en"\nSITEURL = "https://example.com"\n',
            "content/bread.md": "Title: Bread\nDate: 2020-02-01\nSlug: bread\n\nText.\n",
            "content/pain.md": "Title: Pain\nDate: 2020-02-01\nSlug: bread\nLang: fr\n\nTexte.\n",
        },
        {"Bread": ("bread", None), "Pain": ("bread-fr", "fr")},
        {"/bread.html": "/articles/bread", "/bread-fr.html": "/articles/bread-fr"},
    ),
    "Nikola": (
        {
            "conf.py": 'BLOG_TITLE = "x"\nDEFAULT_LANG = "en"\n'
            'TRANSLATIONS = {"en": "", "es": "./es"}\nPOSTS = (("posts/*.md", "posts", "p.t"),)\n',
            "posts/bread.md": post("Bread"),
            "posts/bread.es.md": post("Pan"),
        },
        {"Bread": ("bread", None), "Pan": ("bread-es", "es")},
        {"/posts/bread": "/articles/bread", "/es/posts/bread": "/articles/bread-es"},
    ),
    "Docusaurus": (
        {
            "docusaurus.config.js": "export default {title: 'x', url: 'https://example.com', "
            "baseUrl: '/', i18n: {defaultLocale: 'en', locales: ['en', 'fr']}};\n",
            "blog/2020-02-01-bread.md": post("Bread"),
            "blog/2020-02-02-tea.md": post("Tea"),
            "i18n/fr/docusaurus-plugin-content-blog/2020-02-01-bread.md": post("Pain"),
        },
        {"Bread": ("bread", None), "Pain": ("bread-fr", "fr"), "Tea": ("tea", None)},
        {
            "/blog/2020/02/01/bread": "/articles/bread",
            "/fr/blog/2020/02/01/bread": "/articles/bread-fr",
            "/fr/blog/2020/02/02/tea": "/articles/tea",
        },
    ),
    "Astro": (
        {
            "astro.config.mjs": "export default {i18n: {defaultLocale: 'en', "
            "locales: ['en', 'pt-br']}};\n",
            "src/content/blog/en/bread.md": post("Bread"),
            "src/content/blog/pt-br/bread.md": post("Pão"),
        },
        {"Bread": ("bread", None), "Pão": ("bread-pt-br", "pt-BR")},
        {
            "/blog/pt-br/bread": "/articles/bread-pt-br",
            "/pt-br/blog/bread": "/articles/bread-pt-br",
        },
    ),
    "no configuration, a sibling without the language": (
        {"bread.md": post("Bread"), "bread.fa.md": post("نان")},
        {"Bread": ("bread", None), "نان": ("bread-fa", "fa")},
        {"/bread": "/articles/bread", "/fa/bread": "/articles/bread-fa"},
    ),
    "no configuration, folders of several languages": (
        {"content/en/bread.md": post("Bread"), "content/fa/nan.md": post("نان")},
        {"Bread": ("bread", None), "نان": ("nan-fa", "fa")},
        {"/en/bread": "/articles/bread", "/fa/nan": "/articles/nan-fa"},
    ),
    "no configuration, a folder with the same files": (
        {"bread.md": post("Bread"), "zh-Hant/bread.md": post("麵包")},
        {"Bread": ("bread", None), "麵包": ("bread-zh-hant", "zh-Hant")},
        {"/zh-hant/bread": "/articles/bread-zh-hant"},
    ),
}


@pytest.mark.parametrize(
    ("files", "posts", "old"), SITES.values(), ids=[name.replace(" ", "_") for name in SITES]
)
def test_posts_get_their_languages_their_slugs_and_their_redirects(
    take: Callable[..., Report], files: dict[str, str], posts: Posts, old: dict[str, str]
) -> None:
    """The default language keeps the slug, the others get a suffix; a second import changes none."""
    report = take(files)
    assert report.skipped == []
    assert imported() == posts
    leading = redirects()
    assert {address: leading.get(address) for address in old} == old
    again = take({})
    assert again.counts == {"unchanged": len(posts)}
    assert (imported(), redirects()) == (posts, leading)


@pytest.mark.parametrize("key", ["lang", "Language", "LOCALE"])
@pytest.mark.parametrize(
    ("value", "tag"),
    [
        *(("fa", "fa"), ("pt_BR", "pt-BR"), ("en_US.UTF-8", "en-US"), ("[fa]", "fa")),
        *(("iw", "he"), ("{code: zh-hant, name: Chinese}", "zh-Hant")),
    ],
)
def test_a_key_states_the_language(
    take: Callable[..., Report], key: str, value: str, tag: str
) -> None:
    """In any case, and in the spellings of all tools."""
    take({"bread.md": post("Bread", f"{key}: {value}")})
    assert imported()["Bread"][1] == tag


def test_a_key_of_a_theme_states_the_language(take: Callable[..., Report]) -> None:
    """Inside `params` and `extra`, below those of the top level."""
    take({"bread.md": post("Bread", "params:", "  Lang: fa"), "tea.md": post("Tea")})
    assert imported() == {"Bread": ("bread-fa", "fa"), "Tea": ("tea", None)}


@pytest.mark.parametrize("value", ["klingon!!", "English", "xx", "[en, fa]", "7", "{name: x}"])
def test_a_language_that_is_no_tag_is_named(take: Callable[..., Report], value: str) -> None:
    """The post is imported in the site's language; the remark has the line of the key."""
    report = take({"bread.md": post("Bread", f"language: {value}")})
    (remark,) = report.warnings
    assert remark.place == "bread.md:4"
    assert "is not " in remark.sentence
    assert remark.sentence.endswith("the post is in the site's language")
    assert imported() == {"Bread": ("bread", None)}


def test_the_key_wins_over_the_name_of_the_file(take: Callable[..., Report]) -> None:
    """What the writer states in the file is the most precise."""
    take({"bread.md": post("Bread"), "bread.fa.md": post("نان", "lang: fa-AF")})
    assert imported()["نان"] == ("bread-fa-af", "fa-AF")


@pytest.mark.parametrize(
    "files",
    [
        {"notes.it.md": post("Notes")},
        {"notes.it.md": post("Notes"), "other.md": post("Other")},
        {"notes.v2.md": post("Notes"), "notes.md": post("Other")},
        {"it/notes.md": post("Notes")},
        {"it/notes.md": post("Notes"), "hr/other.md": post("Other")},
        {"it/notes.md": post("Notes"), "other.md": post("Other")},
    ],
)
def test_a_name_that_only_looks_like_a_language_is_kept(
    take: Callable[..., Report], files: dict[str, str]
) -> None:
    """Without a configuration, other files have to show that it is a language."""
    take(files)
    slug, language = imported()["Notes"]
    assert language is None
    assert slug in {"notes", "notes-it", "notes-v2"}


def test_a_site_in_one_language_has_no_suffixes(take: Callable[..., Report]) -> None:
    """Every post states Persian: it is the default language, even if the new site has another one."""
    take({"nan.md": post("نان", "lang: fa"), "chay.md": post("چای", "lang: fa")})
    assert imported() == {"نان": ("nan", "fa"), "چای": ("chay", "fa")}


GERMAN = {
    "_config.yml": "title: Brot und Tee\nlang: de\n",
    "_posts/2020-02-01-brot.md": post("Brot"),
    "_posts/2020-02-01-bread.md": post("Bread", "lang: en"),
}


def test_the_default_language_of_the_old_site_may_be_another_one(
    take: Callable[..., Report],
) -> None:
    """Then its posts keep their slugs, and get their language here."""
    save_site(SiteDraft(title="Mine", language="en"), expected_version=None, actor=SYSTEM)
    take(GERMAN)
    assert imported() == {"Brot": ("brot", "de"), "Bread": ("bread-en", "en")}
    assert take({}).counts == {"unchanged": 2}


def test_a_new_site_takes_the_default_language_of_the_old_one(take: Callable[..., Report]) -> None:
    """Then posts in it need no language of their own; a second import changes nothing."""
    take(GERMAN)
    assert db.session.scalar(sa.select(Site.language)) == "de"
    assert imported() == {"Brot": ("brot", None), "Bread": ("bread-en", "en")}
    assert take({}).counts == {"unchanged": 2}


def test_a_slug_that_a_writer_chose_gets_a_suffix_only_where_it_is_taken(
    take: Callable[..., Report],
) -> None:
    """The post of the default language has the first choice, in any order of the files."""
    take(
        {
            "a.md": post("نان", "lang: fa", "slug: bread"),
            "b.md": post("Bread", "slug: bread"),
            "c.md": post("چای", "lang: fa", "slug: chay"),
        }
    )
    assert imported() == {
        "Bread": ("bread", None),
        "نان": ("bread-fa", "fa"),
        "چای": ("chay", "fa"),
    }


def test_a_link_leads_to_the_post_in_the_same_language(take: Callable[..., Report]) -> None:
    """`tea.md` means `tea.fa.md` where that exists, else the file itself."""
    persian = post("نان") + "\n[a](tea.md) [b](rice.md)\n"
    files = {"bread.md": post("Bread"), "bread.fa.md": persian, "rice.md": post("Rice")}
    take(files | {"tea.md": post("Tea"), "tea.fa.md": post("چای")})
    html = db.session.scalars(sa.select(Post).where(Post.slug == "bread-fa")).one().body_html
    assert 'href="/articles/tea-fa"' in html
    assert 'href="/articles/rice"' in html


MIXED = {"bread.md": post("Bread"), "bread.fa.md": post("نان"), "tea.md": post("چای", "lang: fa")}


def test_one_language_can_be_imported_alone(take: Callable[..., Report]) -> None:
    """The others are counted, in the report and in its JSON, and are no findings."""
    report = take(MIXED, language="fa")
    assert imported() == {"نان": ("bread-fa", "fa"), "چای": ("tea-fa", "fa")}
    assert report.other_languages == {"en": 1}
    assert "Left out: 1 in other languages than --language (1 en)." in list(report.lines())
    assert report.to_json()["other_languages"] == {"en": 1}
    assert report.skipped == []


def test_posts_in_other_languages_are_not_pruned(take: Callable[..., Report]) -> None:
    """Their files are there; only a post whose file is gone is archived."""
    take(MIXED)
    take({}, language="fa", prune=True)
    posts = db.session.scalars(sa.select(Post))
    assert {post.status for post in posts} == {Status.PUBLISHED}


def test_a_default_language_is_chosen_by_its_tag(take: Callable[..., Report]) -> None:
    """Posts that state no language are in the default one."""
    report = take(MIXED, language="EN")
    assert imported() == {"Bread": ("bread", None)}
    assert report.other_languages == {"fa": 2}


def test_a_language_to_import_is_a_tag(take: Callable[..., Report]) -> None:
    """The error says what a tag looks like; nothing is imported."""
    with pytest.raises(Invalid, match="'Persian' is not a language tag"):
        take(MIXED, language="Persian")
    assert imported() == {}


def test_a_language_that_the_configuration_gains_updates_the_posts(
    take: Callable[..., Report],
) -> None:
    """The files are the same; the posts move, and their old addresses redirect."""
    files = {"hugo.toml": HUGO, "content/bread.de.md": post("Brot"), "content/tea.md": post("Tea")}
    take(files)
    assert imported()["Brot"] == ("bread-de", None)
    report = take({"hugo.toml": HUGO + "[languages.de]\nweight = 3\n"})
    assert imported()["Brot"] == ("bread-de", "de")
    assert report.counts == {"updated": 1, "unchanged": 1}


def test_a_link_to_a_post_in_another_language_leads_there(take: Callable[..., Report]) -> None:
    """If the site has it from an earlier import, though it is left out this time."""
    take(MIXED)
    persian = post("نان") + "\n[a](../bread/) [b](bread.fa.md)\n"
    take(
        {"rice.fa.md": persian, "rice.md": post("Rice", "lang: fa"), "z.md": persian}, language="fa"
    )
    posts = db.session.scalars(sa.select(Post).where(Post.slug.in_(["z", "rice-fa"])))
    for one in posts:
        assert 'href="/articles/bread"' in one.body_html
        assert 'href="/articles/bread-fa"' in one.body_html


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"hugo.toml": "enableEmoji = true\n"}, "emoji"),
        ({"config.toml": 'base_url = "x"\n[markdown]\nrender_emoji = true\n'}, "emoji"),
        (
            {"config.toml": 'base_url = "x"\n[markdown]\nsmart_punctuation = true\n'},
            "smart_punctuation",
        ),
        ({"pelicanconf.py": "TYPOGRIFY = True\n"}, "smart_punctuation"),
    ],
)
def test_a_setting_of_text_of_the_old_site_is_named(
    take: Callable[..., Report], files: dict[str, str], name: str
) -> None:
    """With the line to write; the settings of this site are not changed."""
    report = take(files | {"content/bread.md": post("Bread")})
    sentences = [remark.sentence for remark in report.warnings]
    expected = f"the old site had this turned on: write {name} = true into site.toml"
    assert expected in sentences
    assert find_typography(db.session(), None).is_plain


SITE = 'title = "x"\nlanguage = "de"\nsmart_punctuation = true\nemoji = true\n'


def test_site_toml_turns_the_settings_of_text_on(take: Callable[..., Report]) -> None:
    """Posts that are imported with it have them, with the quotes of the site's language."""
    report = take({"site.toml": SITE, "a.md": post("A") + '"x" :tada:\n'})
    assert report.warnings == []
    assert "„x“ 🎉" in db.session.scalars(sa.select(Post)).one().body_html


def test_a_change_of_the_settings_of_text_names_the_command(take: Callable[..., Report]) -> None:
    """The posts that are there stay as they were rendered; an equal file is no change."""
    files = {"a.md": post("A") + '"x" :tada:\n'}
    take(files)
    report = take({"site.toml": SITE})
    (remark,) = report.warnings
    assert remark.place == "site.toml"
    assert "run `flask content render`" in remark.sentence
    assert ":tada:" in db.session.scalars(sa.select(Post)).one().body_html
    assert take({}).warnings == []


def test_a_setting_of_text_is_true_or_false(take: Callable[..., Report]) -> None:
    """Any other value is an error of the file."""
    report = take({"site.toml": 'title = "x"\nemoji = "yes"\n', "a.md": post("A")})
    (remark,) = report.skipped
    assert remark.sentence == "emoji: true or false is expected here, not 'yes'"
