"""Limits for values that are small to write and large to hold, and for the depth of YAML.

Pure: parsed values and tokens in, answers out.
"""

from typing import Any

import yaml

_OPENING = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


def depth_change(token: yaml.Token) -> int:
    """Return 1 for a token that opens a level of YAML, -1 for one that closes it, else 0."""
    return isinstance(token, _OPENING) - isinstance(token, _CLOSING)


def exceeds_limits(values: Any, *, most: int, depth: int) -> bool:
    """Return whether there are more than `most` values or `depth` levels, or an endless nesting."""
    count = 0
    remaining = [(values, 0)]
    while remaining:
        value, level = remaining.pop()
        count += 1
        if count > most or level > depth:
            return True
        if isinstance(value, dict):
            remaining.extend((item, level + 1) for item in value.values())
        elif isinstance(value, list | tuple | set):
            remaining.extend((item, level + 1) for item in value)
    return False
