"""The numbers of ``server.stats()`` for Prometheus; needs the extra ``metrics``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

try:
    from prometheus_client import CollectorRegistry, make_wsgi_app
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector
except ModuleNotFoundError as exc:
    raise ImportError(
        "socketio.metrics needs prometheus_client: pip install 'gevent-socketio[metrics]'"
    ) from exc

if TYPE_CHECKING:
    from socketio.server import SocketIOServer

__all__ = ["ServerCollector", "metrics_app"]

_PREFIX = "socketio"


class ServerCollector(Collector):
    """Reads the numbers of a server whenever Prometheus asks for them.

    For a registry of the application's own: ``registry.register(ServerCollector(server))``.

    Args:
        server: The server. It is kept alive.

    .. versionadded:: 1.0
    """

    def __init__(self, server: SocketIOServer) -> None:
        self._server = server

    def describe(self) -> Iterable[Metric]:
        """Return the names, so that a registry takes one server, and that once."""
        return self.collect()

    def collect(self) -> Iterator[Metric]:
        """Yield a metric family for each number; never blocks."""
        stats = self._server.stats()
        sessions, queues, traffic = stats["sessions"], stats["queues"], stats["traffic"]
        by_state = sessions["by_state"]
        yield _family(GaugeMetricFamily, "sessions", "Sessions by state", "state", by_state)
        yield _gauge("pending_handshakes", "Handshakes nobody came for yet", sessions["pending"])
        yield _gauge("connections", "Open connections", stats["connections"])
        yield _gauge("greenlets", "Greenlets of the server and its sessions", stats["greenlets"])
        yield _family(
            GaugeMetricFamily,
            "sessions_by_transport",
            "Sessions by the transport that carries them",
            "transport",
            sessions["by_transport"],
        )
        for way in ("inbound", "outbound"):
            for what in ("packets", "size", "longest"):
                text = f"{_QUEUES[what]} the {way} queues"
                yield _gauge(f"{way}_queue_{what}", text, queues[f"{way}_{what}"])  # type: ignore[literal-required]  # a name of ours
        yield _counter("sessions_opened", "Handshakes answered", sessions["opened"])
        yield _counter("sessions_connected", "Sessions whose client came", sessions["connected"])
        for name, text in _TRAFFIC.items():
            yield _counter(name, text, traffic[name])  # type: ignore[literal-required]  # a name of ours
        for name, label in _BY_KIND.items():
            text = f"{name.capitalize()} by {label}"
            yield _family(CounterMetricFamily, name, text, label, stats[name])  # type: ignore[literal-required]  # a name of ours


_QUEUES = {
    "packets": "Packets that wait in",
    "size": "Bytes that wait in",
    "longest": "Packets in the longest of",
}
_TRAFFIC = {
    "packets_received": "Packets taken from clients",
    "packets_sent": "Packets handed to connections",
    "packets_dropped": "Packets thrown away because a client was slow",
    "bytes_received": "Bytes of packets taken from clients",
    "bytes_sent": "Bytes of packets handed to connections",
}
_BY_KIND = {"disconnects": "reason", "errors": "kind", "limits": "setting", "refusals": "kind"}


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{_PREFIX}_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"{_PREFIX}_{name}", text, value=value)


def _family(
    kind: type[GaugeMetricFamily] | type[CounterMetricFamily],
    name: str,
    text: str,
    label: str,
    values: Mapping[str, float],
) -> Metric:
    family = kind(f"{_PREFIX}_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def metrics_app(server: SocketIOServer, *, registry: CollectorRegistry | None = None) -> Any:
    """Return a WSGI application that answers every request with the numbers of ``server``.

    Serve it on a port of its own, that only Prometheus reaches, or mount it under ``/metrics``::

        from gevent.pywsgi import WSGIServer

        WSGIServer(("127.0.0.1", 9100), metrics_app(server)).start()

    Its requests do not block, and need neither locks nor threads.

    Args:
        server: The server.
        registry: What else is told, such as ``prometheus_client.REGISTRY`` for the process; the
            server is registered in it. None makes one with nothing but the server.

    Raises:
        ValueError: ``registry`` has a server already.

    .. versionadded:: 1.0
    """
    if registry is None:
        registry = CollectorRegistry()
    registry.register(ServerCollector(server))
    return make_wsgi_app(registry)
