"""The edge for Flask apps: the only room of the library, with its neighbours, that knows Flask."""

from .effective_policy import nothing_unless_said, serve_as, successful_get
from .extension import Edge
from .response_facts import touch

__all__ = ["Edge", "nothing_unless_said", "serve_as", "successful_get", "touch"]
