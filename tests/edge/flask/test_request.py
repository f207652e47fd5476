"""Reads of parameters and headers are record, whichever method of the mapping reads them."""

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
        pytest.param(access, result, {"a", "b"}, id=name)
        for name, (access, result) in ALL_READS.items()
    ),
    *(pytest.param(access, result, {"a"}, id=name) for name, (access, result) in ONE_READ.items()),
]


def reads() -> RequestReads:
    """Return an empty record that records."""
    result = RequestReads()
    result.is_recording = True
    return result


@pytest.mark.parametrize(("access", "result", "names"), CASES)
def test_each_parameter_that_is_read_is_recorded(
    access: Callable[[Any], Any], result: Any, names: set[str]
) -> None:
    """The result is that of Werkzeug, and a copy counts as a read of all parameters."""
    record = reads()
    assert access(TrackedArgs(PAIRS, record)) == result
    assert access(ImmutableMultiDict(PAIRS)) == result
    assert record.query == names


@pytest.mark.parametrize(("access", "result", "names"), CASES)
def test_reads_before_the_view_are_not_recorded(
    access: Callable[[Any], Any], result: Any, names: set[str]
) -> None:
    """Flask itself reads the request before and after the view."""
    record = RequestReads()
    assert record.is_recording is False
    assert access(TrackedArgs(PAIRS, record)) == result
    assert record.query == set()
    assert names


def test_a_header_has_one_value_in_each_method() -> None:
    """WSGI has joined repeated headers, so a list has one element or none."""
    record = reads()
    headers = TrackedHeaders({"HTTP_DNT": "1", "HTTP_X_NUMBER": "7"}, record)
    assert headers.getlist("DNT") == ["1"]
    assert headers.getlist("X-Number", type=int) == [7]
    assert headers.getlist("X-Number", type=bytes.fromhex) == []
    assert headers.getlist("Save-Data") == []
    assert record.headers == {"dnt", "x-number", "save-data"}


def test_a_request_of_another_class_counts_as_private() -> None:
    """Its reads can't be seen, so its page is not shared."""
    result = get_request_reads(Request({}))
    assert result.reason_codes == {"request-untracked"}


def test_a_class_is_extended_once() -> None:
    """Two libraries may prepare one app."""
    tracked_class = track_request_class(Request)
    assert issubclass(tracked_class, TrackedRequest)
    assert issubclass(tracked_class, Request)
    assert track_request_class(tracked_class) is tracked_class


def test_the_query_string_is_a_read_of_all_its_parameters(app: Flask) -> None:
    """Also of those without a value."""
    with app.test_request_context("/?a=1&b=") as context:
        request: Any = context.request
        record = get_request_reads(request)
        record.is_recording = True
        assert request.query_string == b"a=1&b="
        assert record.query == {"a", "b"}
