"""F57 and F58: TLS in every way that it can go wrong, and a process without descriptors."""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
import time
from pathlib import Path
from typing import Any

import gevent
import gevent.ssl
import trustme
from gevent import socket as gsocket

from tests.client import Connection, PollingClient, WebSocketClient, event, fetch, wait_for
from tests.trust.rawhttp import Timing, ask_all
from tests.trust.rows import Figure, row
from tests.trust.stage import Place, Stage

_APP = "tests.trust.apps_http:namespaces"
_TICKS = os.sysconf("SC_CLK_TCK")


class SecurePlace:
    """The TLS port of a place, for raw connections."""

    resource = "socket.io"

    def __init__(self, port: int) -> None:
        self.server_port = port


class Certificates:
    """An authority and a server's certificate in a folder; and a client's of somebody else's."""

    def __init__(self, folder: str) -> None:
        authority = trustme.CA()
        path = Path(folder)
        authority.cert_pem.write_to_path(str(path / "authority.pem"))
        mine = authority.issue_cert("127.0.0.1")
        mine.private_key_and_cert_chain_pem.write_to_path(str(path / "server.pem"))
        self.client = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(self.client)
        self.foreign = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(self.foreign)
        trustme.CA().issue_cert("client.example").configure_cert(self.foreign)
        self.distrusting = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def connect(self, port: int, context: Any = None) -> Connection:
        """Return a keep-alive connection over TLS."""
        connection = Connection(SecurePlace(port))  # type: ignore[arg-type]
        wrap = (context or self.client).wrap_socket
        connection.sock = wrap(connection.sock, server_hostname="127.0.0.1")
        return connection

    def hello(self) -> bytes:
        """Return the first flight of a client."""
        outgoing = ssl.MemoryBIO()
        tls = self.client.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="127.0.0.1")
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.do_handshake()
        return outgoing.read()


class SecureWebSocket(WebSocketClient):
    """wss: as a WebSocket client, over TLS."""

    def __init__(self, port: int, certificates: Certificates, sessid: str) -> None:
        self._certificates = certificates
        super().__init__(SecurePlace(port), sessid)  # type: ignore[arg-type]

    def _flush(self) -> None:
        if not hasattr(self.sock, "do_handshake"):
            self.sock = self._certificates.client.wrap_socket(
                self.sock, server_hostname="127.0.0.1"
            )
        super()._flush()


def echoes_over_tls(port: int, certificates: Certificates) -> int:
    """Have a conversation over wss and one over xhr; return how many echoes came."""
    connection = certificates.connect(port)
    echoes = 0
    sessids = [connection.request("GET", "/socket.io/1/").text.split(":")[0] for _ in range(2)]
    websocket = SecureWebSocket(port, certificates, sessids[0]).open()
    url = f"/socket.io/1/xhr-polling/{sessids[1]}"
    assert connection.request("GET", url).text == "1::"
    for number in range(20):
        text = event("echo", number, msgid="1+")
        websocket.send(text)
        echoes += websocket.recv() == f"6:::1+[{number}]"
        assert connection.request("POST", url, text.encode()).text == "1"
        echoes += connection.request("GET", url).text == f"6:::1+[{number}]"
    websocket.close()
    connection.request("POST", url, b"0::")
    connection.close()
    return echoes


def refused_handshake(port: int, certificates: Certificates, kind: str) -> str:
    """Fail at the handshake in one way; return what is wrong with how the server takes it."""
    begin = time.monotonic()
    try:
        if kind == "plain HTTP":
            place = SecurePlace(port)
            connection = Connection(place)  # type: ignore[arg-type]
            connection.send_raw(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            answer = connection.read_to_end()
            connection.close()
            return "" if answer.startswith(b"HTTP/1.1 400 ") else f"{kind}: {answer!r}"
        context = certificates.foreign if kind == "foreign" else certificates.distrusting
        connection = certificates.connect(port, context)
        # With TLS 1.3 the client is through before the server has seen its certificate.
        connection.request("GET", "/")
        connection.close()
    except (OSError, EOFError):
        took = time.monotonic() - begin
        return "" if took < 1 else f"{kind}: ended after {took:.1f} s"
    return f"{kind}: served"


def silent(port: int, data: bytes, closed: Timing) -> None:
    """Connect, send ``data`` and nothing more; note when the server closes."""
    begin = time.monotonic()
    with contextlib.closing(gsocket.create_connection(("127.0.0.1", port))) as sock:
        sock.settimeout(10)
        with contextlib.suppress(OSError):
            sock.sendall(data)
            while sock.recv(65536):
                pass
            closed.note(time.monotonic() - begin, repr(data[:10]))


@row(
    "F57",
    "TLS with a context of gevent's and one of the standard library's: plain HTTP to the TLS "
    "port, a hello to the plain one, bad certificates on either side, cut hellos, 200 silent "
    "handshakes; wss and xhr",
    passes="refused at once, silent ones within the handshake timeout (1 s here) + 1 s, others are "
    "served meanwhile, wss and xhr work",
)
def tls(stage: Stage) -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        certificates = Certificates(folder)
        timeout = 1.0 if stage.scale == 1 else 0.3
        place = stage.serve(_APP, _tls=folder, tls_handshake_timeout=timeout)
        results = [
            tls_server(stage, place, name, certificates, timeout) for name in ("gevent", "standard")
        ]
        plain = Connection(place)
        plain.send_raw(certificates.hello())
        status = plain.read_answer().status
        plain.close()
        settled = place.facts()["tls"].values()
        left = sum(each["stats"]["sessions"]["total"] for each in settled)
    ok = all(ok for ok, _ in results) and status == 400 and not left
    return Figure(ok, "; ".join([*(text for _, text in results), f"hello to the plain: {status}"]))


def tls_server(
    stage: Stage, place: Place, name: str, certificates: Certificates, timeout: float
) -> tuple[bool, str]:
    """Do everything to one of the two servers."""
    port = place.facts()["tls"][name]["port"]
    hello, number, closed = certificates.hello(), stage.number(100), Timing()
    starts = [b"", hello[: len(hello) // 2]] * number
    jobs = [gevent.spawn(silent, port, data, closed) for data in starts]
    meanwhile = Timing()
    while not meanwhile.count or not all(job.ready() for job in jobs):
        begin = time.monotonic()
        connection = certificates.connect(port)
        assert connection.request("GET", "/").text == "page"
        connection.close()
        meanwhile.note(time.monotonic() - begin, name)
    gevent.joinall(jobs, raise_error=True)
    cuts = range(0, len(hello), 1 if stage.scale == 1 else 50)
    ask_all(lambda length: cut_hello(port, hello[:length]), cuts)
    kinds = ["plain HTTP", "foreign", "distrusting"]
    wrong = [text for kind in kinds if (text := refused_handshake(port, certificates, kind))]
    echoes = echoes_over_tls(port, certificates)
    stats = place.facts()["tls"][name]["stats"]
    timeouts = stats["limits"].get("tls_handshake_timeout", 0)
    wait_for(lambda: not place.facts()["tls"][name]["stats"]["sessions"]["total"])
    ok = closed.count == timeouts == len(starts) and closed.worst <= timeout + 1
    ok = ok and meanwhile.worst < 1 and not wrong and echoes == 40
    listed = f" ({'; '.join(wrong)[:200]})" if wrong else ""
    return ok, (
        f"{name}: {closed.count} of {len(starts)} silent closed within {closed.worst:.2f} s, "
        f"{meanwhile.count} served meanwhile, at most in {meanwhile.worst * 1000:.0f} ms, "
        f"{len(cuts)} hellos cut, {len(kinds) - len(wrong)} of {len(kinds)} bad ones "
        f"refused{listed}, {echoes} of 40 echoes"
    )


def cut_hello(port: int, data: bytes) -> None:
    with contextlib.closing(gsocket.create_connection(("127.0.0.1", port))) as sock:
        sock.sendall(data)


# -- F58 -------------------------------------------------------------------------------------------


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def occupy(place: Place) -> None:
    """Hold a connection until we are killed."""
    with contextlib.closing(gsocket.create_connection(("127.0.0.1", place.server_port))) as sock:
        sock.recv(1)


@row(
    "F58",
    "200 connections to a process that may have 64 descriptors",
    passes="less than 20 % of a processor while it is full; sessions there go on; a newcomer is "
    "served within 2 s of the release",
    short=False,
)
def no_descriptors(stage: Stage) -> Figure:
    place = stage.serve(_APP, _descriptors=64)
    pid = place.child.process.pid
    client = WebSocketClient(place).open()
    # Beyond what the system queues for the server, they wait to be connected.
    crowd = [gevent.spawn(occupy, place) for _ in range(200)]
    wait_for(lambda: descriptors(pid) == 64, "the process is full")
    begin, cpu, echoes = time.monotonic(), cpu_seconds(pid), 0
    seconds = 3.0
    while time.monotonic() - begin < seconds:
        client.send(event("echo", echoes, msgid="1+"))
        echoes += client.recv() == f"6:::1+[{echoes}]"
        gevent.sleep(0.05)
    share = (cpu_seconds(pid) - cpu) / (time.monotonic() - begin)
    full = descriptors(pid)
    newcomer = gevent.spawn(fetch, place, "GET", "/page")
    early = newcomer.ready()
    begin = time.monotonic()
    gevent.killall(crowd)
    answer = newcomer.get(timeout=10)
    took = time.monotonic() - begin
    fresh = PollingClient(place).open()
    fresh.send("0::")
    fresh.close()
    client.close()
    counted = place.stats()["errors"].get("accept_failed", 0)
    ok = share < 0.2 and took <= 2 and full == 64 and echoes > 5 and answer.status == 200
    return Figure(
        ok and counted > 0 and not early,
        f"full for {seconds:g} s at {share:.0%} of a processor, {counted} times out of "
        f"descriptors, {echoes} echoes of a session meanwhile; a newcomer served {took:.2f} s "
        "after the release",
    )
