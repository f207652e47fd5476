"""The style sheet of a site's accent colour, at an address with its digest. Pure."""

from __future__ import annotations

import hashlib

from app.publishing.text.palette import DARK, readable_accent


def accent_styles(accent: str, accent_dark: str) -> str:
    """Return the style sheet of the accent colours; empty if none is set.

    Without a colour for the dark scheme, the accent is made light enough for it.
    """
    dark = accent_dark or (readable_accent(accent, DARK) if accent else "")
    rules = []
    if accent:
        rules.append(f":root {{\n{_declarations(accent)}}}\n")
    if dark:
        rules.append(
            f"@media (prefers-color-scheme: dark) {{\n:root {{\n{_declarations(dark)}}}\n}}\n"
        )
    return "\n".join(rules)


def _declarations(colour: str) -> str:
    return f"  --accent: {colour};\n  --button: {colour};\n"


def styles_digest(styles: str) -> str:
    """Return the digest in the address of a style sheet."""
    return hashlib.blake2b(styles.encode(), digest_size=8).hexdigest()
