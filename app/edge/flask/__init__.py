"""Everything in the library that depends on Flask: the extension, requests, responses, commands."""

from .effective_policy import explicit_only, serve_as, successful_get
from .extension import Edge
from .response_facts import report_private_read

__all__ = ["Edge", "explicit_only", "report_private_read", "serve_as", "successful_get"]
