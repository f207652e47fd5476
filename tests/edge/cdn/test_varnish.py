from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import pytest

from app.edge.cdn import Driver, PurgeError, PurgeTarget, SupportsCheck, build_driver
from app.edge.cdn.site_description import OriginServer, RouteRule, SiteDescription
from app.edge.cdn.varnish import vcl_config
from app.edge.cdn.varnish.driver import MAX_KEYS_PER_LINE, MAX_LINE_BYTES, join_keys
from app.edge.testing import DriverContract
from tests.live import raw_http
from tests.live.programs import free_port
from tests.live.varnish import varnished

from .fakes.server import FakeRequest, FakeResponse, FakeServer

SECRET = "s3cret-of-the-nodes"
HOST = "www.example.org"
ANY = RouteRule(url_rule="/<name>", pattern="^/[^/]*$", wildcard="/*", policy="ANY", is_shared=True)


def test_long_lists_of_keys_are_split() -> None:
    """Varnish takes lines of 8 KiB and some hundred keys."""
    keys = [f"p-{number:024x}" for number in range(1300)]
    lines = list(join_keys(keys))
    assert " ".join(lines).split() == keys
    assert all(
        len(line) <= MAX_LINE_BYTES and line.count(" ") < MAX_KEYS_PER_LINE for line in lines
    )
    assert list(join_keys(keys[:250])) == [" ".join(keys[:250])]
    assert list(join_keys(["a"] * 501)) == [" ".join(["a"] * 500), "a"]


class Origin(FakeServer):
    """Counts how often each page was made; the page says which time it is."""

    def __init__(self) -> None:
        super().__init__()
        self.render_counts: Counter[str] = Counter()
        self.fails = False

    def answer(self, request: FakeRequest) -> FakeResponse:
        """Make a page; its tag is its path."""
        if self.fails:
            return FakeResponse(status=500)
        self.render_counts[request.target] += 1
        headers = {
            "Cache-Control": "max-age=0, must-revalidate",
            "Surrogate-Control": "max-age=3600, stale-if-error=3600",
            "xkey": f"all p-{request.target.strip('/')}",
        }
        return FakeResponse(headers=headers, body=str(self.render_counts[request.target]).encode())


@dataclass(slots=True, kw_only=True)
class Cluster:
    """Two nodes of Varnish in front of one origin."""

    origin: Origin
    ports: list[int]

    def nodes(self) -> str:
        """Their addresses as the setting has them."""
        return ", ".join(f"http://127.0.0.1:{port}" for port in self.ports)

    def get_bodies(self, path: str) -> list[str]:
        """A page as each node has it."""
        return [fetched(port, path) for port in self.ports]

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Make the origin fail inside the block."""
        self.origin.fails = True
        try:
            yield
        finally:
            self.origin.fails = False


def fetched(port: int, path: str) -> str:
    """The body that a node answers with, or its status where that is an error."""
    answer = raw_http.exchange(port, raw_http.request(path, host=HOST))
    return answer.body.decode() if answer.status == 200 else str(answer.status)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes and their origin, for all tests of the module."""
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        site = SiteDescription(
            site=OriginServer.of(f"https://{HOST}"),
            rules=(ANY,),
            origins=(OriginServer.of(origin.url),),
            secret=SECRET,
        )
        start_varnish = partial(
            varnished,
            tmp_path_factory.mktemp("varnish"),
            vcl_config.vcl(site),
            parameters=vcl_config.PARAMETERS,
        )
        nodes = [stack.enter_context(start_varnish()) for _ in range(2)]
        yield Cluster(origin=origin, ports=[node.port for node in nodes])


def driver(nodes: str, secret: str = SECRET) -> Driver:
    """A driver as an app's settings make it."""
    config = {"EDGE_VARNISH_NODES": nodes, "EDGE_VARNISH_SECRET": secret}
    varnish_driver = build_driver("varnish", config, site="https://example.org")
    assert varnish_driver is not None
    return varnish_driver


@dataclass(slots=True)
class VarnishStage:
    """The cluster as the contract of all drivers sees it."""

    cluster: Cluster
    driver: Driver
    secrets: tuple[str, ...] = (SECRET,)

    def store(self, target: PurgeTarget) -> None:
        """Request a page from every node, so that each stores it."""
        self.cluster.get_bodies(target.url)

    def keeps(self, target: PurgeTarget) -> bool:
        """Return whether one of the nodes serves the page without a request to the origin."""
        render_counts = self.cluster.origin.render_counts
        before = render_counts[target.url]
        self.cluster.get_bodies(target.url)
        return render_counts[target.url] - before < len(self.cluster.ports)


@pytest.mark.live
class TestVarnish(DriverContract):
    """The contract of all drivers, with a real Varnish."""

    @pytest.fixture
    def stage(self, cluster: Cluster) -> VarnishStage:
        """Two nodes that keep nothing yet."""
        varnish_driver = driver(cluster.nodes())
        varnish_driver.purge_everything()
        return VarnishStage(cluster, varnish_driver)


@pytest.mark.live
def test_what_was_purged_softly_is_kept_for_bad_times(cluster: Cluster) -> None:
    """A softly purged page is served while the origin fails, a hard-purged one is not."""
    first = {path: cluster.get_bodies(path) for path in ("/kept", "/gone")}
    driver(cluster.nodes()).purge(
        [
            PurgeTarget(url="/kept", tag="p-kept"),
            PurgeTarget(url="/gone", tag="p-gone", hard_purge=True),
        ]
    )
    with cluster.failing():
        assert cluster.get_bodies("/kept") == first["/kept"]
        assert not set(cluster.get_bodies("/gone")) & set(first["/gone"])
    assert cluster.get_bodies("/gone") == ["3", "4"]


@pytest.mark.live
def test_everything_is_forgotten_for_good(cluster: Cluster) -> None:
    """No page is served stale after a purge of everything."""
    before = cluster.get_bodies("/all")
    driver(cluster.nodes()).purge_everything()
    with cluster.failing():
        assert not set(cluster.get_bodies("/all")) & set(before)


@pytest.mark.live
def test_a_wrong_secret_is_told_apart(cluster: Cluster) -> None:
    """A person must act, and sees which node and which setting, but not the secret."""
    varnish_driver = driver(cluster.nodes(), "wr0ng-s3cret")
    assert isinstance(varnish_driver, SupportsCheck)
    with pytest.raises(PurgeError, match="EDGE_VARNISH_SECRET") as error:
        varnish_driver.check()
    assert error.value.credentials_rejected
    assert all(f"127.0.0.1:{port}" in str(error.value) for port in cluster.ports)
    assert "s3cret" not in str(error.value)
    right = driver(cluster.nodes())
    assert isinstance(right, SupportsCheck)
    right.check()


@pytest.mark.live
def test_one_node_that_is_away_is_named_and_the_others_are_purged(cluster: Cluster) -> None:
    """The call has failed, but every node that could be purged was."""
    before = cluster.get_bodies("/partly")
    varnish_driver = driver(f"http://127.0.0.1:{free_port()},{cluster.nodes()}")
    with pytest.raises(
        PurgeError, match=r"varnish at 127.0.0.1:\d+: the connection was refused"
    ) as error:
        varnish_driver.purge([PurgeTarget(url="/partly", tag="p-partly")])
    assert error.value.retryable
    assert not error.value.credentials_rejected
    assert cluster.get_bodies("/partly") != before


def test_a_page_without_a_tag_is_refused() -> None:
    """A page without a tag can't be purged, so the call fails."""
    with pytest.raises(PurgeError, match="/a has no tag") as error:
        driver("http://127.0.0.1:9").purge([PurgeTarget(url="/a")])
    assert not error.value.retryable
