from __future__ import annotations

import pytest

from app.publishing.files import FileError, inspect


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("page.html", b"<p>", "'html' are not carried"),
        ("page.HTM", b"<p>", "'htm' are not carried"),
        ("page.xhtml", b"<p>", "'xhtml' are not carried"),
        ("drawing.svgz", b"x", "'svgz' are not carried"),
        ("feed.xml", b"<a/>", "'xml' are not carried"),
        ("app.js", b"x", "'js' are not carried"),
        ("app.mjs", b"x", "'mjs' are not carried"),
        ("setup.exe", b"MZ", "'exe' are not carried"),
        ("run.sh", b"#!/bin/sh", "'sh' are not carried"),
        ("macro.docm", b"PK", "'docm' are not carried"),
        ("LICENSE", b"x", "'without a suffix' are not carried"),
        ("report.pdf", b"", "is empty"),
        ("report.pdf", b"x" * 2000, "more than 1 KiB"),
        ("report.pdf", b"MZ\x90", "holds a program or a web page"),
        ("report.pdf", b"\x7fELF", "holds a program or a web page"),
        ("photos.zip", b"#!/bin/sh\n", "holds a program or a web page"),
        ("report.pdf", b"\xef\xbb\xbf <!DOCTYPE html>", "holds a program or a web page"),
        ("talk.mp4", b"<script>alert(1)</script>", "holds a program or a web page"),
    ],
)
def test_a_file_that_could_run_is_refused(name: str, content: bytes, reason: str) -> None:
    """Web pages, scripts and programs are refused by their names and by their first bytes."""
    with pytest.raises(FileError, match=reason):
        inspect(content, name, most=1024)


def test_the_name_in_the_url_is_a_slug_with_the_suffix() -> None:
    """A file keeps its words and its suffix; the rest of its path is dropped."""
    info = inspect(b"%PDF-1.7", "C:\\Reports\\Jahresübersicht 2020.PDF", most=1024)
    assert info.name == "jahresubersicht-2020.pdf"
    assert info.media_type == "application/pdf"
    assert info.size == len(b"%PDF-1.7")


def test_source_code_is_plain_text() -> None:
    """A script that readers are shown as text is accepted: browsers never run `text/plain`."""
    assert inspect(b"#!/usr/bin/env python\n", "a.py", most=99).media_type.startswith("text/plain")
