"""The page index: pages that edges may hold, their dependencies, and the pages a change affects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_exports import export_lazily

if TYPE_CHECKING:
    from .capacity import IndexCapacity
    from .page import IndexedPage
    from .register import RegistrationResult
    from .resolve import Resolution
    from .tables import define_tables
else:
    __getattr__ = export_lazily(
        __name__,
        {
            "IndexCapacity": "capacity",
            "IndexedPage": "page",
            "RegistrationResult": "register",
            "Resolution": "resolve",
            "define_tables": "tables",
        },
    )

__all__ = [
    "IndexCapacity",
    "IndexedPage",
    "RegistrationResult",
    "Resolution",
    "define_tables",
]
