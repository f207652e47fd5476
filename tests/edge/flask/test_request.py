"""Reads of parameters and headers are recorded, whichever method of the mapping reads them."""

from __future__ import annotations

import pickle
from copy import copy, deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, Request
from werkzeug.datastructures import ImmutableMultiDict

from app.edge.flask.request import (
    RequestReads,
    TrackedArgs,
    TrackedHeaders,
    TrackedRequest,
    get_request_reads,
    track_request_class,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PAIRS = [("a", "1"), ("a", "2"), ("b", "3")]
ALL_READS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "names": (lambda args: list(args.keys()), ["a", "b"]),
    "values": (lambda args: list(args.values()), ["1", "3"]),
    "items": (lambda args: list(args.items()), [("a", "1"), ("b", "3")]),
    "all items": (lambda args: list(args.items(multi=True)), PAIRS),
    "lists": (lambda args: list(args.lists()), [("a", ["1", "2"]), ("b", ["3"])]),
    "lists of values": (lambda args: list(args.listvalues()), [["1", "2"], ["3"]]),
    "iteration": (list, ["a", "b"]),
    "to_dict": (lambda args: args.to_dict(flat=False), {"a": ["1", "2"], "b": ["3"]}),
    "a copy": (lambda args: list(copy(args).items(multi=True)), PAIRS),
    "a deep copy": (lambda args: list(deepcopy(args).items(multi=True)), PAIRS),
    "a pickled copy": (
        lambda args: list(pickle.loads(pickle.dumps(args)).items(multi=True)),
        PAIRS,
    ),
}
ONE_READ: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "get": (lambda args: args.get("a"), "1"),
    "get with a type": (lambda args: args.get("a", type=int), 1),
    "item": (lambda args: args["a"], "1"),
    "membership": (lambda args: "a" in args, True),
    "getlist": (lambda args: args.getlist("a"), ["1", "2"]),
    "getlist with a type": (lambda args: args.getlist("a", type=int), [1, 2]),
}
CASES = [
    *(
        pytest.param(read, result, {"a", "b"}, id=name)
        for name, (read, result) in ALL_READS.items()
    ),
    *(pytest.param(read, result, {"a"}, id=name) for name, (read, result) in ONE_READ.items()),
]


def reads() -> RequestReads:
    """Return an empty record that records."""
    result = RequestReads()
    result.is_recording = True
    return result


@pytest.mark.parametrize(("read", "result", "names"), CASES)
def test_each_parameter_that_is_read_is_recorded(
    read: Callable[[Any], Any], result: Any, names: set[str]
) -> None:
    """The result is that of Werkzeug, and a copy counts as a read of all parameters."""
    recorded = reads()
    assert read(TrackedArgs(PAIRS, recorded)) == result
    assert read(ImmutableMultiDict(PAIRS)) == result
    assert recorded.query == names


@pytest.mark.parametrize(("read", "result", "names"), CASES)
def test_reads_before_the_view_are_not_recorded(
    read: Callable[[Any], Any], result: Any, names: set[str]
) -> None:
    """Flask itself reads the request before and after the view."""
    recorded = RequestReads()
    assert recorded.is_recording is False
    assert read(TrackedArgs(PAIRS, recorded)) == result
    assert recorded.query == set()
    assert names


def test_a_header_has_one_value_in_each_method() -> None:
    """WSGI has joined repeated headers, so a list has one element or none."""
    recorded = reads()
    headers = TrackedHeaders({"HTTP_DNT": "1", "HTTP_X_NUMBER": "7"}, recorded)
    assert headers.getlist("DNT") == ["1"]
    assert headers.getlist("X-Number", type=int) == [7]
    assert headers.getlist("X-Number", type=bytes.fromhex) == []
    assert headers.getlist("Save-Data") == []
    assert recorded.headers == {"dnt", "x-number", "save-data"}


def test_a_request_of_another_class_counts_as_private() -> None:
    """Its reads can't be seen, so its page is not shared."""
    result = get_request_reads(Request({}))
    assert result.reason_codes == {"request-untracked"}


def test_a_class_is_extended_once() -> None:
    """Two libraries may prepare one app."""
    tracked = track_request_class(Request)
    assert issubclass(tracked, TrackedRequest)
    assert issubclass(tracked, Request)
    assert track_request_class(tracked) is tracked


def test_the_query_string_is_a_read_of_all_its_parameters(app: Flask) -> None:
    """Also of those without a value."""
    with app.test_request_context("/?a=1&b=") as context:
        request: Any = context.request
        recorded = get_request_reads(request)
        recorded.is_recording = True
        assert request.query_string == b"a=1&b="
        assert recorded.query == {"a", "b"}
