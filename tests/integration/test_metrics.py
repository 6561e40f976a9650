"""``metrics_app()``: what Prometheus reads agrees with ``server.stats()``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent.pywsgi import WSGIServer
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.parser import text_string_to_metric_families

from socketio.metrics import ServerCollector, metrics_app
from socketio.server import SocketIOServer
from tests.client import Answer, event, fetch, serving, wait_for
from tests.integration.httpplace import Place, place
from tests.integration.programs import run
from tests.integration.stalled import connect_stalled, message

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@contextlib.contextmanager
def scraped(app: Any) -> Iterator[Any]:
    """Serve ``app`` on a port of its own; yields a function that fetches from it."""
    http = WSGIServer(("127.0.0.1", 0), app, log=None, error_log=None)
    http.start()

    def get(target: str = "/metrics", **headers: str) -> Answer:
        return fetch(http, "GET", target, **headers)  # type: ignore[arg-type]

    try:
        yield get
    finally:
        http.stop(timeout=1)


def samples(text: str) -> Samples:
    """Return all numbers by name and labels; each may be there only once."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name.endswith("_created"):
                continue
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, key
            found[key] = sample.value
    return found


def expected(server: SocketIOServer) -> Samples:
    """Return what the samples have to be, from the stats."""
    stats: Any = server.stats()
    sessions = stats["sessions"]
    plain = {
        "connections": stats["connections"],
        "greenlets": stats["greenlets"],
        "pending_handshakes": sessions["pending"],
        "sessions_opened_total": sessions["opened"],
        "sessions_connected_total": sessions["connected"],
        **{f"{name}_total": value for name, value in stats["traffic"].items()},
        **{
            f"{way}_queue_{what}": stats["queues"][f"{way}_{what}"]
            for way in ("inbound", "outbound")
            for what in ("packets", "size", "longest")
        },
    }
    labelled = {
        ("sessions", "state"): sessions["by_state"],
        ("sessions_by_transport", "transport"): sessions["by_transport"],
        ("disconnects_total", "reason"): stats["disconnects"],
        ("errors_total", "kind"): stats["errors"],
        ("limits_total", "setting"): stats["limits"],
        ("refusals_total", "kind"): stats["refusals"],
    }
    found: Samples = {(f"socketio_{name}", ()): float(value) for name, value in plain.items()}
    for (name, label), values in labelled.items():
        for key, value in values.items():
            found[f"socketio_{name}", ((label, key),)] = float(value)
    return found


def live(on: Place) -> None:
    """Have something of everything happen."""
    on.websocket().send(event("no such"), event("hold"), "3:::x")
    gone = on.polling().open()
    gone.send("0::")
    client, socket = connect_stalled(on.server, "xhr-polling")
    on.clients.append(client)
    message(socket, "waits")
    on.new_session()
    assert on.fetch("GET", "/socket.io/1/nothing/1").status == 400
    assert on.fetch("POST", client.url, b"x" * 1001).status == 413
    wait_for(lambda: on.server.stats()["connections"] == 5)  # what is closed is gone


# -- the numbers -----------------------------------------------------------------------------------


def test_everything_that_stats_tells_is_told() -> None:
    with place(max_body_size=1000) as on, scraped(metrics_app(on.server)) as get:
        live(on)
        answer = get()
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert samples(answer.text) == expected(on.server)
        kinds = {name for name, _ in expected(on.server)}
        assert len(kinds) == 22, "one of each"


def test_a_server_that_does_nothing_has_all_its_numbers_without_labels() -> None:
    server = SocketIOServer(("127.0.0.1", 0), None)
    with scraped(metrics_app(server)) as get:
        found = samples(get().text)
        assert found == expected(server)
        assert set(found.values()) == {0.0}
        assert len(found) == 16


def test_the_numbers_are_those_of_the_moment() -> None:
    with place() as on, scraped(metrics_app(on.server)) as get:
        key = ("socketio_sessions_opened_total", ())
        for count in range(3):
            assert samples(get().text)[key] == count
            on.new_session()


def test_every_metric_says_what_it_is() -> None:
    with place(max_body_size=1000) as on, scraped(metrics_app(on.server)) as get:
        live(on)
        for family in text_string_to_metric_families(get().text):
            assert family.name.startswith("socketio_")
            assert len(family.documentation) > 10
            assert family.type in ("gauge", "counter")
            totals = [sample.name.endswith("_total") for sample in family.samples]
            assert all(totals) if family.type == "counter" else not any(totals)


def test_a_scrape_does_not_wait_for_anything() -> None:
    with place() as on:
        app = metrics_app(on.server)
        ran: list[int] = []
        other = gevent.spawn(ran.append, 1)
        statuses: list[str] = []
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/metrics", "QUERY_STRING": ""}
        assert b"socketio_connections" in b"".join(
            app(environ, lambda status, _headers: statuses.append(status))
        )
        assert (ran, statuses) == ([], ["200 OK"])
        other.join()


def test_the_application_may_be_mounted_on_the_server_itself() -> None:
    holder: list[Any] = []

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/metrics":
            return holder[0](environ, start_response)
        start_response("404 Not Found", [])
        return []

    with serving(app) as server:
        holder.append(metrics_app(server))
        found = samples(fetch(server, "GET", "/metrics").text)
        assert found["socketio_connections", ()] == 1, "this one"


# -- registries ------------------------------------------------------------------------------------


def test_a_registry_of_the_applications_own_is_told_beside_the_server() -> None:
    registry = CollectorRegistry()
    orders = Counter("shop_orders", "Orders", registry=registry)
    Gauge("shop_open", "Whether the shop is open", registry=registry).set(1)
    orders.inc(3)
    with place() as on, scraped(metrics_app(on.server, registry=registry)) as get:
        on.websocket()
        found = samples(get().text)
        shop = {("shop_orders_total", ()): 3.0, ("shop_open", ()): 1.0}
        assert found == {**expected(on.server), **shop}


def test_without_a_registry_nothing_else_is_told() -> None:
    with place() as on, scraped(metrics_app(on.server)) as get:
        assert "python_info" not in get().text


def test_a_collector_may_be_registered_by_hand() -> None:
    registry = CollectorRegistry(auto_describe=True)
    with place() as on:
        registry.register(ServerCollector(on.server))
        on.websocket()
        assert registry.get_sample_value("socketio_sessions", {"state": "CONNECTED"}) == 1
        assert registry.get_sample_value("socketio_errors_total", {"kind": "x"}) is None


def test_one_registry_has_a_server_only_once() -> None:
    registry = CollectorRegistry()
    with place() as on:
        metrics_app(on.server, registry=registry)
        with pytest.raises(ValueError, match="Duplicated timeseries"):
            metrics_app(on.server, registry=registry)


# -- without the extra -----------------------------------------------------------------------------

WITHOUT = "import sys; sys.modules['prometheus_client'] = None; "


@pytest.mark.parametrize("module", ["socketio", "socketio.server", "socketio.stats"])
def test_the_rest_of_the_library_works_without_the_extra(module: str) -> None:
    code = f"{WITHOUT}import {module}; print('prometheus_client.core' in sys.modules)"
    assert run("-c", code) == (0, "False\n", "")


def test_without_the_extra_the_import_fails_as_an_import() -> None:
    code = f"{WITHOUT}\ntry:\n import socketio.metrics\nexcept ImportError as exc: print('caught')"
    assert run("-c", code) == (0, "caught\n", "")


def test_without_the_extra_the_import_says_what_to_install() -> None:
    status, out, err = run("-c", f"{WITHOUT}import socketio.metrics")
    assert (status, out) == (1, "")
    assert err.rstrip().splitlines()[-1] == (
        "ImportError: socketio.metrics needs prometheus_client: "
        "pip install 'gevent-socketio[metrics]'"
    )
