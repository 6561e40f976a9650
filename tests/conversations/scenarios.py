"""The application behind each recorded scenario, and what its server code did at which moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from socketio.errors import UnauthorizedError
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.testing import ManualClock
from tests.client import Recorder, wait_for
from tests.conversations.differences import STREAM_LOST


@dataclass
class Stage:
    """What a cue acts upon."""

    server: SocketIOServer
    clock: ManualClock
    record: Recorder
    sockets: list[Any] = field(default_factory=list)
    """The sessions in the order of their handshakes."""
    cut_link: Callable[[], None] = lambda: None

    @property
    def transport(self) -> str:
        """The only one that the server offers."""
        (name,) = self.server.transports
        return name

    @property
    def socket(self) -> Any:
        return self.sockets[-1]

    @property
    def root(self) -> BaseNamespace:
        """The global namespace of the session, once a packet for it was handled."""
        return wait_for(lambda: self.socket.active_ns.get(""), "the global namespace is in use")

    def expect_seen(self, *seen: Any) -> None:
        """Wait until the handlers saw exactly this, in this order."""
        wait_for(lambda: len(self.record.seen) >= len(seen), f"{self.record.seen} has all {seen}")
        assert self.record.seen == list(seen)


Cue: TypeAlias = Callable[[Stage], None]


@dataclass(frozen=True)
class Scenario:
    """An application and its part in the conversation.

    ``cues`` are what happens on the side of the server, by the note of the recording, or by the
    packet that the server is about to send where the recording has no note. Where the reference
    server fires a disconnect event with a reason of its own, we look at ``disconnect_reason``.
    """

    namespaces: dict[str, type[BaseNamespace]]
    cues: dict[str, Cue] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    seen: tuple[Any, ...] = ()
    """What the handlers saw, when all is over."""
    finish: Cue = lambda stage: None


class Silent(BaseNamespace):
    """Listens, says nothing by itself."""

    record: Recorder

    def on_greet(self, who: Any, nothing: Any) -> None:
        self.record("greet", who, nothing)

    def on_bare(self) -> None:
        self.record("bare")

    def on_sum(self, first: int, second: int) -> int:
        self.record("sum", first, second)
        return first + second

    def on_x(self, text: str) -> None:
        self.record("x", text)

    def recv_message(self, data: str) -> None:
        self.record("message", data)

    def recv_connect(self) -> None:
        self.record("connect", self.ns_name)

    def recv_disconnect(self) -> None:
        self.record("disconnect", self.ns_name)
        super().recv_disconnect()


class Refuses(Silent):
    def recv_connect(self) -> None:
        raise UnauthorizedError("nobody may enter")


class AnswersJson(Silent):
    def recv_json(self, data: Any) -> None:
        self.record("json", data)
        self.send(["y", {"z": True}], json=True)
        self.send("just a string", json=True)


def welcome(stage: Stage) -> None:
    stage.expect_seen(("greet", {"name": "zoe"}, None), "bare")
    stage.root.emit("welcome", "snow \u2603 smile \U0001f600")
    stage.root.emit("bare")


def ask(stage: Stage) -> None:
    stage.root.emit("ask", "name?", callback=lambda *args: stage.record("answer", *args))


def ask_without_parameters(stage: Stage) -> None:
    stage.root.emit("ask0", callback=lambda: stage.record("never"))


def ask_to_confirm(stage: Stage) -> None:
    stage.root.send("please confirm", callback=lambda *args: stage.record("confirmed", *args))


def send_three(stage: Stage) -> None:
    stage.expect_seen(*BATCH)
    for text in ("a", "b", "c \U0001f600 d"):
        stage.root.send(text)


def disconnect(stage: Stage) -> None:
    stage.socket.disconnect()


def ended(reason: str) -> Cue:
    """Return a cue that waits until the session has ended with ``reason``."""

    def check(stage: Stage) -> None:
        socket = stage.socket
        wait_for(lambda: socket.disconnect_reason, f"{socket!r} ends")
        assert socket.disconnect_reason == reason

    return check


def left(namespace: str) -> Cue:
    """Return a cue that waits until ``namespace`` was told of its end, once."""

    def check(stage: Stage) -> None:
        wait_for(lambda: stage.record.count(("disconnect", namespace)))
        assert stage.record.count(("disconnect", namespace)) == 1

    return check


def seen(*what: Any) -> Cue:
    """Return a cue that waits until a callback reported ``what``."""
    return lambda stage: wait_for(lambda: stage.record.count(what if len(what) > 1 else what[0]))


def cut(stage: Stage) -> None:
    stage.cut_link()


def after_the_cut(stage: Stage) -> None:
    """Over polling a cut link is nothing yet: the gap until the next poll looks the same."""
    first, *later = stage.sockets
    assert first.connected is (stage.transport in POLLING)
    # The recording over htmlfile ends before the client is back.
    assert len(later) == (0 if stage.transport == "htmlfile" else 1)
    assert all(socket.connected for socket in later)


def all_heartbeats(stage: Stage) -> None:
    count = 1 if stage.transport in POLLING else 2
    wait_for(lambda: stage.socket.heartbeats == count, f"{count} heartbeats came")


def drop_session(stage: Stage) -> None:
    wait_for(lambda: stage.socket.hits == 2, "the second poll is there")
    stage.socket.kill(detach=True)


def force_heartbeat(stage: Stage) -> None:
    stage.socket.put_client_msg("2::")


POLLING = ("xhr-polling", "jsonp-polling")
BATCH = (("message", "one"), ("message", "two"), ("x", "smile \U0001f600"))
BOOTED = 'server API: disconnect event, reason "booted"'

SCENARIOS: dict[str, Scenario] = {
    "connect": Scenario({"": Silent}),
    "namespace": Scenario(
        {"": Silent, "/chat": Silent, "/secret": Refuses},
        cues={'server API: disconnect event on /chat, reason "packet"': left("/chat")},
        seen=(("connect", "/chat"), ("disconnect", "/chat")),
    ),
    "event": Scenario(
        {"": Silent},
        cues={
            'server code: emit("welcome", "snow \\u2603 smile \\ud83d\\ude00"), '
            'then emit("bare")': welcome
        },
        seen=(("greet", {"name": "zoe"}, None), "bare"),
    ),
    "event-ack": Scenario(
        {"": Silent},
        cues={
            'server code: emit("ask", "name?", function (answer) {...})': ask,
            'server callback got ["zoe",7]': seen("answer", "zoe", 7),
            'server code: emit("ask0", function () {...})  -- zero-parameter callback: '
            "id without +, the JS client never acknowledges it": ask_without_parameters,
        },
        seen=(("sum", 2, 3), ("answer", "zoe", 7)),
    ),
    "message": Scenario(
        {"": Silent},
        cues={
            "3:::hi back": lambda stage: stage.root.send("hi back"),
            'server code: send("please confirm", callback)': ask_to_confirm,
            "server callback called": seen("confirmed"),
        },
        seen=(
            ("message", "hello: with colons: and \n newline"),
            ("message", "confirm"),
            "confirmed",
        ),
    ),
    "json": Scenario(
        {"": AnswersJson},
        seen=(("json", {"a": [1, 2.5, None], "b": "x"}),),
    ),
    "heartbeat": Scenario(
        {"": Silent},
        settings={"heartbeat_interval": 0.4, "heartbeat_timeout": 3, "polling_duration": 0.4},
        cues={
            "forced for the record: the server is made to send 2:: on a poll (it never does so by "
            "itself on polling transports)": force_heartbeat
        },
        finish=all_heartbeats,
    ),
    "client-disconnect": Scenario(
        {"": Silent}, cues={BOOTED: ended("peer_left"), STREAM_LOST.text: ended("transport_lost")}
    ),
    "server-disconnect": Scenario(
        {"": Silent},
        cues={"server code: socket.disconnect()": disconnect, BOOTED: ended("kicked")},
    ),
    "reconnect": Scenario(
        {"": Silent, "/chat": Silent},
        cues={
            "the link is cut (both TCP halves destroyed)": cut,
            'server API: disconnect event, reason "socket end"': ended("transport_lost"),
            'server API: disconnect event on /chat, reason "socket end"': left("/chat"),
        },
        finish=after_the_cut,
    ),
    "batch": Scenario(
        {"": Silent},
        cues={
            'server code: send("a"), send("b"), send("c \\ud83d\\ude00 d") in one tick': send_three
        },
        seen=BATCH,
    ),
    "expired-session": Scenario(
        {"": Silent},
        settings={"polling_duration": 0.2},
        cues={
            "the server drops the session from its table": drop_session,
            'server API: disconnect event, reason "error"': ended("killed"),
        },
    ),
}
