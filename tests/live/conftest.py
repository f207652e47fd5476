"""What live tests share: one running site a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .live_site import Site, start_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sampled: Path) -> Iterator[Site]:
    """The site with the sample publication, on two workers."""
    with start_site(sampled, tmp_path_factory.mktemp("site")) as started:
        yield started
