"""The configuration of the tool that a folder was written for. It is parsed, never executed."""

from .model import PermalinkRule, SiteFacts, SourceConfiguration, Tool
from .reading import detect_tool, read_configuration

__all__ = [
    "PermalinkRule",
    "SiteFacts",
    "SourceConfiguration",
    "Tool",
    "detect_tool",
    "read_configuration",
]
