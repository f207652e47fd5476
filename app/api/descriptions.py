"""What a view of the API returns, for its description in OpenAPI: `@describe(shapes.PostList)`.

The decorator marks a view and does not wrap it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])
_ATTRIBUTE = "api_description"


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The types of the JSON of a response, or its media type if it is another one.

    `query` describes each parameter: a schema with a sentence.
    """

    types: tuple[type, ...] = ()
    media_type: str = "application/json"
    query: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def describe(
    *types: type,
    media_type: str = "application/json",
    query: Mapping[str, Mapping[str, Any]] | None = None,
) -> Callable[[View], View]:
    """Mark a view with what it returns: an object of one of these types."""

    def mark(view: View) -> View:
        description = Description(types=types, media_type=media_type, query=query or {})
        setattr(view, _ATTRIBUTE, description)
        return view

    return mark


def description_of(view: Callable[..., Any]) -> Description | None:
    """Return the description of a view; None if it has none."""
    description = getattr(view, _ATTRIBUTE, None)
    return description if isinstance(description, Description) else None
