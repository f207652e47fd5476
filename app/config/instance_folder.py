"""The instance folder: the files of this installation, its secret key included."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .setting import ConfigError

ROOT = Path(__file__).resolve().parents[2]
"""The root folder of the project."""


def instance_folder(environ: Mapping[str, str], overrides: Mapping[str, Any] | None) -> Path:
    """Return the path of the instance folder, which Flask needs before it reads any setting."""
    folder = (overrides or {}).get("INSTANCE") or environ.get("FLASK_INSTANCE") or "instance"
    return ROOT / folder


def ensure_writable(folder: Path) -> Path:
    """Create the folder if it is missing; raises ConfigError if it is not writable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise ConfigError(
            f"The instance folder {folder} can't be used ({error.strerror}): "
            "make it writable, or set FLASK_INSTANCE to a folder that is.",
        ) from None
    return folder


def load_or_create_secret(folder: Path) -> str:
    """Return the secret key of this installation; the first start creates it in the folder."""
    path = ensure_writable(folder) / "secret_key"
    try:
        if not path.exists():
            _keep(secrets.token_hex(32), path)
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        secret = ""
    if not secret:
        raise ConfigError(f"{path} can't be read: remove it, or set SECRET_KEY.")
    return secret


def _keep(secret: str, path: Path) -> None:
    """Write the file atomically; of several processes that start at once, one wins."""
    handle, draft = tempfile.mkstemp(dir=path.parent)
    os.write(handle, secret.encode("ascii"))
    os.close(handle)
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    Path(draft).unlink()
