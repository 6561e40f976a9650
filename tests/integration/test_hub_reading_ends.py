"""Sessions that end while the hub reads for them, and applications that put in their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest

from socketio import socketio_manage
from socketio.session.outbox import Inbox
from socketio.virtsocket import Socket
from tests.client import DEADLINE, Recorder, event, wait_for
from tests.integration.hubstage import (
    connection_of,
    gated,
    readers,
    reads_in_hub,
    wait_until_read_in_hub,
)
from tests.integration.wsstage import Root, has_ended, stage, works
from tests.unit.websocket.frames import close_frame, text

# -- from outside ----------------------------------------------------------------------------------


def kill_connection(on: Any, socket: Any, _peer: Any) -> None:
    connection_of(on.server, socket).kill()


def kill_receiver(_on: Any, socket: Any, _peer: Any) -> None:
    socket._receiver.kill()


def kick(_on: Any, socket: Any, _peer: Any) -> None:
    socket.disconnect()


def close_socket(on: Any, socket: Any, _peer: Any) -> None:
    on.server._connections[connection_of(on.server, socket)].socket.close()


def cut(_on: Any, socket: Any, _peer: Any) -> None:
    socket._link.cut()


def leave(_on: Any, _socket: Any, peer: Any) -> None:
    peer.send(close_frame(1000))


def hang_up(_on: Any, _socket: Any, peer: Any) -> None:
    peer.close()


def say_goodbye(_on: Any, _socket: Any, peer: Any) -> None:
    peer.send(text("0::"))


ENDINGS: list[tuple[Callable[..., None], str]] = [
    (kill_connection, "transport_lost"),
    (kill_receiver, "killed"),
    (kick, "kicked"),
    (close_socket, "transport_lost"),
    (cut, "transport_lost"),
    (leave, "transport_lost"),
    (hang_up, "transport_lost"),
    (say_goodbye, "peer_left"),
]
ALL_ENDINGS = pytest.mark.parametrize(
    ("end", "reason"), ENDINGS, ids=lambda e: getattr(e, "__name__", e)
)


@ALL_ENDINGS
def test_a_session_that_is_read_in_the_hub_ends_and_leaves_nothing(
    end: Callable[..., None], reason: str
) -> None:
    with stage() as on:
        bystander, other = on.connect()
        peer, socket = on.connect()
        assert works(peer)
        assert reads_in_hub(other)
        assert reads_in_hub(socket)
        before = readers()
        connection = connection_of(on.server, socket)
        end(on, socket, peer)
        assert has_ended(socket, reason)
        peer.close()
        wait_for(lambda: connection.dead)
        assert on.record.count("disconnect") == 1
        assert list(on.server.sockets) == [other.sessid]
        assert readers() == before - 1
        assert reads_in_hub(other)
        assert works(bystander)


@ALL_ENDINGS
def test_a_session_whose_reading_has_paused_ends_likewise(
    end: Callable[..., None], reason: str
) -> None:
    with gated(max_inbound_packets=2, close_timeout=0.05) as (on, gate):
        peer, socket = on.connect()
        wait_until_read_in_hub(socket)
        peer.send(*[text(event("n", number)) for number in range(20)])
        wait_for(lambda: socket.server_queue.waiting == 1)
        connection = connection_of(on.server, socket)
        end(on, socket, peer)
        gevent.idle()
        gate.set()
        assert has_ended(socket, reason)
        peer.close()
        wait_for(lambda: connection.dead)
        assert on.record.count("disconnect") == 1


def test_the_end_of_the_server_ends_the_reading_of_all() -> None:
    before = readers()
    with stage() as on:
        ends = [on.connect() for _ in range(50)]
        assert all(works(peer) and reads_in_hub(socket) for peer, socket in ends)
        stopping = gevent.spawn(on.server.stop, DEADLINE)
        assert [peer.read_close() for peer, _ in ends] == [1001] * 50
        on.hang_up()
        stopping.join(timeout=DEADLINE)
        assert stopping.successful()
        assert on.server._connections == {}
        assert len(on.server.sockets) == 0
        assert on.record.count("disconnect") == 50
    del ends
    assert readers() == before


# -- from a handler --------------------------------------------------------------------------------


def test_a_handler_ends_its_own_session_or_another_and_goes_on() -> None:
    with gated() as (on, _gate):
        (peer, socket), (victim, other) = on.connect(), on.connect()
        assert works(victim)
        assert reads_in_hub(other)
        wait_until_read_in_hub(socket)
        peer.send(text(event("kick", other.sessid, msgid="1+")))
        assert peer.read_text() == '6:::1+["kicked"]'
        assert victim.read_text() == "0::"
        assert victim.read_close() == 1000
        assert has_ended(other, "kicked")
        peer.send(text(event("leave")), text(event("n", "not handled any more")))
        assert peer.read_text() == "0::"
        assert peer.read_close() == 1000
        assert has_ended(socket, "kicked")
        assert sorted(on.record.seen) == ["disconnect", "disconnect", "left"]


def test_a_handler_that_kills_its_own_connection_ends_only_that() -> None:
    with gated() as (on, _gate):
        (peer, socket), (bystander, other) = on.connect(), on.connect()
        wait_until_read_in_hub(socket)
        wait_until_read_in_hub(other)
        peer.send(text(event("unplug", msgid="1+")))
        assert peer.read_text() == '6:::1+["unplugged"]'
        assert has_ended(socket, "transport_lost")
        assert reads_in_hub(other)
        assert works(bystander)


# -- what an application puts in its place ---------------------------------------------------------


class Noting:
    """Puts overrides in, and notes what goes through them."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, Any]] = []

    def install(self, socket: Any) -> None:
        """Put them on the session ``socket`` alone."""
        take, put = socket.get_client_msg, socket.put_server_msg

        def get_client_msg(*args: Any, **kw: Any) -> Any:
            self.texts.append(("out", text := take(*args, **kw)))
            return text

        def put_server_msg(text: Any) -> None:
            self.texts.append(("in", text))
            put(text)

        socket.get_client_msg, socket.put_server_msg = get_client_msg, put_server_msg

    def echoes(self) -> list[Any]:
        """Return which of the echoes were seen, and on which way."""
        return [(way, text) for way, text in self.texts if text and "still here" in text]


ECHO = event("echo", "still here", msgid="7+")
ROUND = [("in", ECHO), ("out", '6:::7+["still here"]')]


@pytest.mark.parametrize("where", ["view", "initialize", "handler"])
def test_overrides_of_one_session_are_called_from_then_on(where: str) -> None:
    noting, record = Noting(), Recorder()

    class Installing(Root):
        def initialize(self) -> None:
            if where == "initialize":
                noting.install(self.socket)

        def on_install(self) -> str:
            noting.install(self.socket)
            return "installed"

    Installing.record = record

    def app(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        if where == "view":
            noting.install(environ["socketio"])
        socketio_manage(environ, {"": Installing})
        return []

    with stage(app) as on:
        peer, _ = on.connect()
        if where == "initialize":
            peer.send(text("3:::the first packet opens the namespace"))
            wait_for(lambda: record.seen)
        if where == "handler":
            peer.send(text(event("install", msgid="1+")))
            assert peer.read_text() == '6:::1+["installed"]'
        assert works(peer)
        assert works(peer)
        assert noting.echoes() == ROUND * 2


@pytest.mark.parametrize("name", ["put_server_msg", "get_client_msg"])
def test_overrides_of_the_class_are_called(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    original = getattr(Socket, name)

    def override(self: Any, *args: Any, **kw: Any) -> Any:
        calls.append(name)
        return original(self, *args, **kw)

    monkeypatch.setattr(Socket, name, override)
    with stage() as on:
        peer, socket = on.connect()
        assert works(peer)
        assert works(peer)
        assert len(calls) >= 2
        assert not reads_in_hub(socket)


class OwnInbox(Inbox):
    """An inbox of the application's."""

    __slots__ = ("seen",)

    seen: list[Any]

    def put_nowait(self, item: Any) -> None:
        self.seen.append(item)
        super().put_nowait(item)


@pytest.mark.parametrize("where", ["view", "handler"])
def test_an_inbox_of_the_application_gets_every_text_from_then_on(where: str) -> None:
    inbox = OwnInbox()
    inbox.seen = []

    class Swapping(Root):
        def on_swap(self) -> str:
            self.socket.server_queue = inbox
            return "swapped"

    Swapping.record = Recorder()

    def app(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        if where == "view":
            environ["socketio"].server_queue = inbox
        socketio_manage(environ, {"": Swapping})
        return []

    with stage(app) as on:
        peer, socket = on.connect()
        if where == "handler":
            peer.send(text(event("swap", msgid="1+")))
            assert peer.read_text() == '6:::1+["swapped"]'
        assert works(peer)
        assert works(peer)
        assert inbox.seen == [ECHO] * 2
        assert not reads_in_hub(socket)
