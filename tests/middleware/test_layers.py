from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask

from app.middleware import LAYERS

NAMES = ("wsgi", "_wsgi", "app", "_app", "wsgi_app", "origin")


def layers_of(wsgi: Any) -> Iterator[type]:
    """The classes of the layers around Flask, the outermost first."""
    layer_types = {layer.type for layer in LAYERS}
    visited: set[int] = set()
    pending = [wsgi]
    while pending:
        layer = pending.pop(0)
        if id(layer) in visited or isinstance(layer, Flask):
            continue
        visited.add(id(layer))
        if type(layer) in layer_types:
            yield type(layer)
        pending[:0] = _inner(layer)


def _inner(layer: Any) -> list[Any]:
    """What an object calls in turn."""
    fields = [getattr(layer, name, None) for name in (*getattr(layer, "__dict__", {}), *NAMES)]
    return [value for value in fields if callable(value) and not isinstance(value, type)]


def test_a_request_meets_the_layers_in_the_order_of_the_tuple(
    make_app: Callable[..., Flask], tmp_path: Any
) -> None:
    """All of them when a proxy and the gateway are configured; the gateway compresses itself."""
    app = make_app(PROXIES=1, EDGE_GATEWAY=True, EDGE_STORE=str(tmp_path / "store"))
    expected = [layer.type for layer in LAYERS if layer.type.__name__ != "Compression"]
    assert list(layers_of(app.wsgi_app)) == expected


def test_without_a_proxy_and_a_gateway_their_layers_are_missing(
    make_app: Callable[..., Flask],
) -> None:
    """A reader's own X-Forwarded-For is not believed then."""
    left_out = {"ProxyHeaders", "Gateway"}
    expected = [layer.type for layer in LAYERS if layer.type.__name__ not in left_out]
    assert list(layers_of(make_app().wsgi_app)) == expected


def test_every_layer_says_what_it_does() -> None:
    """In one phrase, for the map in the documentation."""
    assert all(layer.purpose and not layer.purpose.endswith(".") for layer in LAYERS)
