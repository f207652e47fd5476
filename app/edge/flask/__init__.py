"""The edge for Flask apps: the only room of the library, with its neighbours, that knows Flask."""

from .extension import Edge
from .facts import touch
from .promise import nothing_unless_said, serve_as, successful_get

__all__ = ["Edge", "nothing_unless_said", "serve_as", "successful_get", "touch"]
