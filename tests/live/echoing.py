"""The site's process with another WSGI application in it: it answers with what it received."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from typing import Any

from app import create_app
from app.server import connection, worker

app = create_app()

if seconds := os.environ.get("ECHO_HEAD_SECONDS"):
    for module in (connection, worker):
        vars(module)["HEAD_SECONDS"] = float(seconds)


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with the method, the path, and the length and digest of the body."""
    path = environ["PATH_INFO"]
    body = b"" if path == "/unread" else environ["wsgi.input"].read()
    digest = hashlib.sha256(body).hexdigest()
    content = f"{environ['REQUEST_METHOD']} {path} {len(body)} {digest}".encode()
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(content)))]
    start_response("200 OK", headers)
    return [content]


app.wsgi_app = echo  # type: ignore[method-assign] # as Flask documents
