"""The edge for Flask apps: the only room of the library, with its neighbours, that knows Flask."""

from .effective_policy import explicit_only, serve_as, successful_get
from .extension import Edge
from .response_facts import report_private_read

__all__ = ["Edge", "explicit_only", "report_private_read", "serve_as", "successful_get"]
