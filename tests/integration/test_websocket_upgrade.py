"""The upgrade to a WebSocket, and packets in the same segment."""

from __future__ import annotations

import re
import socket as stdsocket
import struct
from typing import Any

import gevent
import pytest

from tests.client import wait_for
from tests.integration.wsstage import GREETING, has_ended, stage, works
from tests.unit.websocket.frames import text
from tests.unit.websocket.handshakes import ACCEPT, BAD, GOOD, upgrade

# -- the upgrade (section 12) ----------------------------------------------------------------------


@pytest.mark.parametrize("case", GOOD)
def test_a_good_upgrade_gets_the_101_of_the_protocol_and_the_greeting(case: str) -> None:
    with stage() as on:
        peer = on.dial(upgrade(target=on.url() + "/?token=x", **GOOD[case]))
        assert peer.read_head() == (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
        )
        assert peer.read(5) == GREETING
        assert works(peer)


@pytest.mark.parametrize("case", BAD)
def test_a_bad_upgrade_is_refused_and_the_session_can_still_be_opened(case: str) -> None:
    with stage() as on:
        url = on.url()
        peer = on.dial(upgrade(target=url, **BAD[case]))
        head = peer.read_head()
        assert head.startswith(("HTTP/1.1 400 ", "HTTP/1.1 405 ", "HTTP/1.1 426 ")), head
        length = re.search(r"\r\nContent-Length: ([0-9]+)\r\n", head)
        assert length
        if BAD[case].get("method") != "HEAD":
            assert peer.read(int(length[1]))
        assert peer.at_end()
        socket = on.server.sockets[url.split("/")[-1]]
        assert socket.state == "NEW"
        assert works(on.connect(socket.sessid)[0])


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://h.evil.example", ""])
def test_an_upgrade_of_a_foreign_origin_is_refused_before_the_101(origin: str) -> None:
    with stage() as on:
        url = on.url()
        for name in ("Origin", "Sec_WebSocket_Origin"):
            if name == "Sec_WebSocket_Origin" and not origin:
                continue
            version = "13" if name == "Origin" else "8"
            changes = {name: origin, "Sec_WebSocket_Version": version}
            peer = on.dial(upgrade(target=url, **changes))
            assert peer.read_head().startswith("HTTP/1.1 403 "), name
        assert on.server.sockets[url.split("/")[-1]].state == "NEW"


def test_an_upgrade_of_the_own_origin_is_let_in() -> None:
    with stage() as on:
        peer = on.dial(upgrade(target=on.url(), Origin="http://h"))
        assert " 101 " in peer.read_head()
        assert peer.read(5) == GREETING


@pytest.mark.parametrize("sessid", ["nosuch", "1" * 40, "%00", "x" * 2000])
def test_an_upgrade_for_an_unknown_session_is_a_400(sessid: str) -> None:
    with stage() as on:
        peer = on.dial(upgrade(target=on.url(sessid)))
        assert peer.read_head().startswith("HTTP/1.1 400 ")


def test_an_upgrade_for_a_session_that_is_ending_is_a_400() -> None:
    with stage() as on:
        client = on.polling().open()
        socket = on.server.sockets[client.sessid]
        socket.disconnect()  # between two polls: the farewell waits for the next poll
        peer = on.dial(upgrade(target=on.url(client.sessid)))
        assert peer.read_head().startswith("HTTP/1.1 400 ")
        assert client.poll() == ["0::"]


# -- early bytes -----------------------------------------------------------------------------------


def test_packets_in_the_segment_of_the_upgrade_are_handled_in_order() -> None:
    with stage() as on:
        messages = [f"3:::{number}" for number in range(100)]
        peer = on.dial(upgrade(target=on.url()) + b"".join(text(m) for m in messages))
        peer.read_head()
        assert peer.read(5) == GREETING
        wait_for(lambda: len(on.record.seen) == 100)
        assert on.record.seen == [str(number) for number in range(100)]
        assert works(peer)


@pytest.mark.parametrize("size", [8_000, 9_000, 70_000, 900_000])
@pytest.mark.parametrize("cut", [None, 1, 5000])
def test_a_long_packet_that_begins_in_the_segment_of_the_upgrade_arrives_whole(
    size: int, cut: int | None
) -> None:
    with stage() as on:
        packet = text("3:::" + "y" * size)
        peer = on.dial(upgrade(target=on.url()) + packet[:cut])
        peer.read_head()
        assert peer.read(5) == GREETING
        peer.send(packet[cut:] if cut else b"", text("3:::next"))
        wait_for(lambda: len(on.record.seen) == 2)
        assert on.record.seen == ["y" * size, "next"]


def test_a_goodbye_in_the_segment_of_the_upgrade_ends_the_session() -> None:
    with stage() as on:
        url = on.url()
        socket = on.server.sockets[url.split("/")[-1]]
        peer = on.dial(upgrade(target=url) + text("3:::only this") + text("0::"))
        peer.read_head()
        assert peer.read_text() == "1::"
        assert peer.read_text() == "0::"
        assert peer.read_close() == 1000
        assert has_ended(socket, "peer_left")
        assert on.record.seen == ["only this", "disconnect"]


def test_a_client_that_is_gone_before_the_answer_may_come_back_to_its_session() -> None:
    with stage() as on:
        url = on.url()
        socket = on.server.sockets[url.split("/")[-1]]
        peer = on.dial()
        wait_for(lambda: on.server._connections)
        peer.send(upgrade(target=url))
        peer.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        wait_for(lambda: not on.server._connections)
        assert socket.state == "NEW"
        assert on.record.seen == []
        assert works(on.connect(socket.sessid)[0])


@pytest.mark.parametrize("end", [gevent.GreenletExit, KeyError])
def test_a_view_that_ends_at_once_has_its_upgrade_answered(end: type[BaseException]) -> None:
    def view(_environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        raise end

    with stage(view) as on:
        peer = on.dial(upgrade(target=on.url()))
        assert " 101 " in peer.read_head()
        assert peer.read(5) == GREETING
