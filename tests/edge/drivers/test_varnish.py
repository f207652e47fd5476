from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from app.edge.drivers import Checks, Driver, PurgeError, Target, build
from app.edge.drivers.varnish import LONGEST_LINE, MOST_KEYS, lines
from tests.live.process import free_port
from tests.live.varnish import varnished

from .fakes.server import Asked, Reply, Server

VCL = """
vcl 4.1;
import xkey;
backend default {{ .host = "127.0.0.1"; .port = "{port}"; }}
sub vcl_recv {{
    if (req.method == "PURGE") {{
        if (req.http.Authorization != "Bearer {secret}") {{
            return (synth(403, "Forbidden"));
        }}
        if (req.http.xkey-purge) {{
            return (synth(200, "gone " + xkey.purge(req.http.xkey-purge)));
        }}
        if (req.http.xkey-softpurge) {{
            return (synth(200, "stale " + xkey.softpurge(req.http.xkey-softpurge)));
        }}
        return (synth(405, "Name the keys"));
    }}
    set req.grace = 0s;
    if (req.http.X-Old) {{
        set req.grace = 1h;
    }}
}}
sub vcl_backend_response {{
    set beresp.ttl = 1h;
    set beresp.grace = 1h;
}}
sub vcl_synth {{
    set resp.http.Content-Type = "text/plain";
    set resp.body = resp.reason;
    return (deliver);
}}
"""
SECRET = "s3cret-of-the-edge"


def test_long_lists_of_keys_are_split() -> None:
    """Varnish takes lines of 8 KiB and some hundred keys."""
    keys = [f"p-{number:024x}" for number in range(1300)]
    made = list(lines(keys))
    assert " ".join(made).split() == keys
    assert all(len(line) <= LONGEST_LINE and line.count(" ") < MOST_KEYS for line in made)
    assert list(lines(keys[:250])) == [" ".join(keys[:250])]
    assert list(lines(["a"] * 501)) == [" ".join(["a"] * 500), "a"]


class Origin(Server):
    """Counts how often each page was made; the page says which time it is."""

    def __init__(self) -> None:
        super().__init__()
        self.made: Counter[str] = Counter()

    def answer(self, asked: Asked) -> Reply:
        """Make a page; its tag is its path."""
        self.made[asked.target] += 1
        tags = f"all p-{asked.target.strip('/')}"
        return Reply(headers={"xkey": tags}, body=str(self.made[asked.target]).encode())


@dataclass(slots=True, kw_only=True)
class Cluster:
    """Two nodes of Varnish in front of one origin."""

    origin: Origin
    ports: list[int]

    def nodes(self) -> str:
        """Their addresses as the setting has them."""
        return ", ".join(f"http://127.0.0.1:{port}" for port in self.ports)

    def read(self, path: str, *, old: bool = False) -> list[str]:
        """A page as each node has it; `old` takes what is kept for when the origin fails."""
        headers = {"X-Old": "1"} if old else {}
        return [fetched(port, path, headers) for port in self.ports]


def fetched(port: int, path: str, headers: dict[str, str]) -> str:
    """The body that a node answers with."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes and their origin, for all tests of the module."""
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        vcl = VCL.format(port=origin.port, secret=SECRET)
        folder = tmp_path_factory.mktemp("varnish")
        nodes = [stack.enter_context(varnished(folder, vcl)) for _ in range(2)]
        yield Cluster(origin=origin, ports=[node.port for node in nodes])


def driver(nodes: str, secret: str = SECRET) -> Driver:
    """A driver as an app's settings make it."""
    config = {"EDGE_VARNISH_NODES": nodes, "EDGE_VARNISH_SECRET": secret}
    made = build("varnish", config, site="https://example.org")
    assert made is not None
    return made


@pytest.mark.live
def test_every_node_forgets_a_page(cluster: Cluster) -> None:
    """Exactly the page that is named, on each of them."""
    for path in ("/one", "/two"):
        assert cluster.read(path) == ["1", "2"]
    driver(cluster.nodes()).purge([Target(url="/one", tag="p-one")])
    assert cluster.read("/one") == ["3", "4"]
    assert cluster.read("/two") == ["1", "2"]


@pytest.mark.live
def test_what_was_purged_softly_is_kept_for_bad_times(cluster: Cluster) -> None:
    """A page that changed may stand in while the origin fails, one that lost something may not."""
    first = {path: cluster.read(path) for path in ("/kept", "/gone")}
    driver(cluster.nodes()).purge(
        [Target(url="/kept", tag="p-kept"), Target(url="/gone", tag="p-gone", gone=True)]
    )
    assert cluster.read("/kept", old=True) == first["/kept"]
    assert cluster.read("/gone", old=True) == ["3", "4"]


@pytest.mark.live
def test_everything_is_forgotten_for_good(cluster: Cluster) -> None:
    """Nothing of it may stand in."""
    cluster.read("/all")
    driver(cluster.nodes()).purge_everything()
    assert cluster.read("/all", old=True) == ["3", "4"]


@pytest.mark.live
def test_a_full_batch_of_tags_is_taken(cluster: Cluster) -> None:
    """As many tags as the limits say, as long as the tags of pages are."""
    made = driver(cluster.nodes())
    cluster.read("/last")
    tags = [f"p-{number:024x}" for number in range(made.limits.batch - 1)]
    made.purge([*(Target(url=f"/{tag}", tag=tag) for tag in tags), Target(url="/", tag="p-last")])
    assert cluster.read("/last") == ["3", "4"]


@pytest.mark.live
def test_a_wrong_secret_is_told_apart(cluster: Cluster) -> None:
    """A person must act, and sees which node and which setting, but not the secret."""
    made = driver(cluster.nodes(), "wr0ng-s3cret")
    assert isinstance(made, Checks)
    with pytest.raises(PurgeError, match="EDGE_VARNISH_SECRET") as error:
        made.check()
    assert error.value.credential
    assert all(f"127.0.0.1:{port}" in str(error.value) for port in cluster.ports)
    assert "s3cret" not in str(error.value)
    right = driver(cluster.nodes())
    assert isinstance(right, Checks)
    right.check()


@pytest.mark.live
def test_one_node_that_is_away_is_named_and_the_others_are_purged(cluster: Cluster) -> None:
    """The call has failed, but every node that could be purged was."""
    before = cluster.read("/partly")
    made = driver(f"http://127.0.0.1:{free_port()},{cluster.nodes()}")
    with pytest.raises(PurgeError, match=r"varnish at 127.0.0.1:\d+: nobody listens") as error:
        made.purge([Target(url="/partly", tag="p-partly")])
    assert error.value.retryable
    assert not error.value.credential
    assert cluster.read("/partly") != before


def test_a_page_without_a_tag_is_refused() -> None:
    """It could not be found, so it is no success."""
    with pytest.raises(PurgeError, match="/a has no tag") as error:
        driver("http://127.0.0.1:9").purge([Target(url="/a")])
    assert not error.value.retryable
