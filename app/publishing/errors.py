"""Errors of the actions; each message is a sentence for the user."""

from __future__ import annotations


class PublishingError(ValueError):
    """The request can't be carried out; nothing was changed."""


class Invalid(PublishingError):  # noqa: N818 - reads as what it says
    """A field's value can't be used."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field

    def __reduce__(self) -> tuple[type[Invalid], tuple[str, str]]:
        """Return how pickle makes a copy: the import's processes send errors to one another."""
        return type(self), (self.field, str(self))


class Missing(PublishingError):  # noqa: N818 - reads as what it says
    """What was named does not exist."""


class Forbidden(PublishingError):  # noqa: N818 - reads as what it says
    """The role of the user does not allow this."""


class Conflict(PublishingError):  # noqa: N818 - reads as what it says
    """Another user has changed the row, or the name is taken; the caller's text is not lost."""
