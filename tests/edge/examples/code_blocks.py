"""The Python code of a page of documentation, and a program that runs it."""

from __future__ import annotations

import re
from pathlib import Path

REQUEST_BLOCKS = """
import json, os
from werkzeug.test import Client

start = os.getcwd()
results = {{}}
for number, (heading, code, paths) in enumerate({blocks!r}):
    os.makedirs(f"{{start}}/{{number}}/static")
    os.chdir(f"{{start}}/{{number}}")
    with open("static/site.css", "w") as file:
        file.write("body {{ margin: 0 }}")
    namespace = {{"__name__": f"block_{{number}}"}}
    exec(compile(code, heading, "exec"), namespace)
    make_app = namespace.get("create_app")
    app = make_app() if make_app else namespace.get("application") or namespace["app"]
    client = Client(app, use_cookies=False)
    pages = {{}}
    for path in paths:
        first, _, third = [client.get(path) for _ in range(3)]
        is_hit = "hit" in third.headers.get("Cache-Status", "").split("; ")
        pages[path] = {{
            "headers": dict(first.headers), "text": first.text, "is_hit": is_hit,
        }}
    results[heading] = pages
print(json.dumps(results))
"""
"""A format whose `blocks` are triples of heading, code and paths.

It prints the responses as JSON, by heading and path: the first response of each path, and whether
the third was a HIT of the gateway. A block defines `app`, `application` or `create_app`. It runs in
a folder of its own, with the static file `site.css`.
"""

_BLOCK = re.compile(
    r"^## (?P<heading>[^\n]+)$|^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


def python_blocks(page: Path) -> list[tuple[str, str]]:
    """Return the heading and the code of each Python block of a Markdown page, in order."""
    blocks: list[tuple[str, str]] = []
    heading = ""
    for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        heading = match["heading"] or heading
        if match["code"]:
            blocks.append((heading, match["code"]))
    return blocks
