"""The conversations that every JavaScript client has with the server, over every transport.

Each test lets a client run a scenario and then looks at both sides: at what the scenario came to
and at what the handlers of the server saw.
"""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from tests.integration.jsclients import Clients, Server, serving, wait_until
from tests.integration.jsproxy import proxying

TEXTS = [
    "plain",
    "two\nlines\r\nand a third",
    "\"double\", 'single', `back`, \\ and \\n",
    "café, naïve, Straße, mañana, cafe\u0301",
    "😀 and 👩‍👩‍👧‍👦 and 🇫🇷",
    "\u2028 and \u2029 and \u0085",
    "a:b::c:+d, 5:::{}, \ufffd5\ufffd3:::x",
    "</script><!-- <script> &amp; %20+%F0 -->",
    "  spaces around\t",
    "Ελληνικά, русский, 日本語, עברית",
]
"""Ten texts, each of which some layer could spoil: framing, escaping, encoding or trimming."""

TIMINGS = {"heartbeat_interval": 0.5, "heartbeat_timeout": 2, "close_timeout": 2}
"""Of the server whose sessions are to outlive their timeouts while a test waits."""

STREAMS = ("websocket", "htmlfile")
"""The transports that keep a connection open: its end is seen at once, each packet goes out by
itself, and heartbeats go both ways. The others poll."""


class Conversations:
    """The tests; a module that inherits them has the fixtures ``clients`` and ``transport``,
    ``server`` with the default settings, ``brisk_server`` with `TIMINGS` and ``polling_server``
    with no other transport than xhr-polling.
    """

    def test_a_client_connects(self, clients: Clients, server: Server, transport: str) -> None:
        with clients.run("connect", server.url, transport) as run:
            result = run.result()
            session = server.session(run.token)
        assert result["version"] == "0.9.17"
        assert result["connected"]
        assert result["log"] == [["connect"]]
        assert result["transport"] == session["transport"] == transport
        assert result["sessid"] == session["sessid"]
        assert session["alive"]
        assert session["seen"] == []

    def test_a_client_that_is_free_to_choose_takes_websocket(
        self, clients: Clients, server: Server
    ) -> None:
        with clients.run("connect", server.url, "") as run:
            result = run.result()
            session = server.session(run.token)
        assert result["transport"] == session["transport"] == "websocket"

    def test_a_client_takes_the_one_transport_that_the_server_has(
        self, clients: Clients, polling_server: Server
    ) -> None:
        with clients.run("connect", polling_server.url, "") as run:
            result = run.result()
            session = polling_server.session(run.token)
        assert result["transport"] == session["transport"] == "xhr-polling"

    def test_a_namespace_answers_who_joins_it(
        self, clients: Clients, server: Server, transport: str
    ) -> None:
        with clients.run("namespace", server.url, transport) as run:
            result = run.result()
            session = server.session(run.token)
        assert result["chat"] == [["connect"], ["greeted", "in the chat"]]
        assert result["root"] == [["connect"], ["greeted", "at the root"]]
        assert session["connects"] == ["/chat"]
        assert session["seen"] == [["/chat", "greet", "in the chat"], ["", "greet", "at the root"]]

    def test_an_unknown_namespace_is_an_error_and_the_connection_stays(
        self, clients: Clients, server: Server, transport: str
    ) -> None:
        with clients.run("unknownNamespace", server.url, transport) as run:
            result = run.result()
            session = server.session(run.token)
        assert result["error"] == "no_such_namespace"
        assert [entry[0] for entry in result["nowhere"]] == ["error"]
        assert result["sum"] == [3]
        assert session["seen"] == [["", "add", 1, 2]]
        assert session["connects"] == []

    def test_both_sides_leave_a_namespace_and_the_connection_stays(
        self, clients: Clients, server: Server, transport: str
    ) -> None:
        with clients.run("leaving", server.url, transport) as run:
            result = run.result()
            session = server.session(run.token)
        assert result["chat"] == [["connect"], ["disconnect"]]
        assert result["other"] == [["connect"], ["disconnect", None]]
        assert (result["sum"], result["later"]) == ([3], [7])
        assert result["connected"]
        assert session["connects"] == ["/chat", "/other"]
        assert set(session["disconnects"]) <= {"/chat", "/other"}
        assert "/chat" in session["disconnects"]
        assert session["alive"]

    def test_events_go_both_ways(self, clients: Clients, server: Server, transport: str) -> None:
        args = [1, "two", {"three": [None, True, 4.5]}, [], ""]
        with clients.run("events", server.url, transport, args=args) as run:
            result = run.result()
            session = server.session(run.token)
        assert result["answers"] == [[], args[::-1]]
        assert result["log"] == ["connect", "greeted", "greeted"]
        assert session["seen"] == [["", "greet"], ["", "greet", *args]]

    def test_events_are_acknowledged_both_ways(
        self, clients: Clients, server: Server, transport: str
    ) -> None:
        with clients.run("eventAcks", server.url, transport) as run:
            result = run.result()
            session = server.session(run.token)
        for namespace, answers in (("", result["root"]), ("/chat", result["chat"])):
            assert answers["sum"] == [5]
            assert answers["pair"] == [3, 2]
            assert answers["list"] == [["a+b", {"c": None}]]
            assert answers["thanks"] == [3]
            assert [entry for entry in session["seen"] if entry[0] == namespace] == [
                [namespace, "add", 2, 3],
                [namespace, "answered", 42, "one+two", {"deep": [None]}],
            ]

    def test_messages_are_acknowledged_both_ways(
        self, clients: Clients, server: Server, transport: str
    ) -> None:
        with clients.run("messageAcks", server.url, transport) as run:
            result = run.result()
            session = server.session(run.token)
        assert result == {"ack": [], "jsonAck": [], "message": "for you", "receipt": [0]}
        assert session["seen"] == [
            ["", "message", "with an ack"],
            ["", "json", {"with": "an ack"}],
            ["", "delivered"],
        ]

    def test_json_goes_both_ways(self, clients: Clients, server: Server, transport: str) -> None:
        values = [{"a": [1, 2.5, None, True], "é": "😀"}, [], {}, "text", 0, None, False, [[[]]]]
        with clients.run("json", server.url, transport, values=values) as run:
            result = run.result()
            session = server.session(run.token)
        assert result["values"] == values
        assert session["seen"] == [["", "json", value] for value in values]

    def test_every_text_arrives_as_it_was_sent_both_ways(
        self, clients: Clients, server: Server, transport: str
    ) -> None:
        with clients.run("texts", server.url, transport, texts=TEXTS) as run:
            result = run.result()
            session = server.session(run.token)
        assert session["seen"] == [
            ["", kind, text] for text in TEXTS for kind in ("message", "say")
        ]
        assert result["messages"] == TEXTS
        assert result["said"] == TEXTS

    def test_ten_messages_in_one_batch_keep_their_order_both_ways(
        self, clients: Clients, server: Server, transport: str
    ) -> None:
        # Emoji count two units each in the lengths of a payload.
        texts = [f"{number} {'😀' * number}" for number in range(10)]
        with clients.run("batch", server.url, transport, texts=texts) as run:
            result = run.result()
            session = server.session(run.token)
        assert session["seen"] == [
            *(["", "message", text] for text in texts),
            ["", "add", 1, 1],
        ]
        assert result["messages"] == texts
        assert result["total"] == len(texts)
        assert result["sum"] == 2
        in_one_post, in_one_answer = transport != "websocket", transport not in STREAMS
        sent, received = (carriers(result["wire"][way], texts) for way in ("sent", "received"))
        assert sent == (1 if in_one_post else len(texts))
        assert received == (1 if in_one_answer else len(texts))

    def test_an_idle_session_outlives_its_timeouts(
        self, clients: Clients, brisk_server: Server, transport: str
    ) -> None:
        with clients.run("idle", brisk_server.url, transport) as run:
            run.wait_for("idle")
            age = brisk_server.session(run.token)["age"]
            later = age + 1.25 * TIMINGS["heartbeat_timeout"]
            wait_until(lambda: brisk_server.session(run.token)["age"] > later, "the session to age")
            assert brisk_server.session(run.token)["alive"]
            assert brisk_server.ask("/finish", run.token) == 1
            result = run.result()
            session = brisk_server.session(run.token)
        assert (result["before"], result["after"]) == ([3], [7])
        assert result["log"] == [["connect"], ["finish"]]
        assert result["sessid"] == result["last"]["sessid"] == session["sessid"]
        assert session["seen"] == [["", "add", 1, 2], ["", "add", 3, 4]]
        assert session["disconnects"] == {}
        # Nothing but heartbeats went to the server meanwhile, and as many came.
        heartbeats = len(result["sent"])
        assert result["sent"] == ["2::"] * heartbeats
        assert result["received"].count("2::") >= heartbeats
        if transport in STREAMS:
            assert heartbeats > 1
        else:
            assert result["received"].count("8::") + heartbeats > 1

    def test_a_client_that_falls_silent_is_dropped(
        self, clients: Clients, brisk_server: Server, transport: str
    ) -> None:
        with clients.run("silent", brisk_server.url, transport) as run:
            result = run.result()
            session = brisk_server.ended_session(run.token)
        reason = "heartbeat_timeout" if transport in STREAMS else "close_timeout"
        assert result["silenced"] > 0
        assert result["sum"] == 3
        assert result["log"] == [["connect"], ["disconnect", None]]
        assert session["reason"] == reason
        assert session["disconnects"] == {"": [reason]}

    def test_a_client_disconnects_and_every_namespace_hears_it_once(
        self, clients: Clients, server: Server, transport: str
    ) -> None:
        # Where it posts, the client forgets a goodbye that has to wait until a POST is through.
        words = ["last words", "and more"] if transport == "websocket" else []
        with clients.run("disconnect", server.url, transport, words=words) as run:
            result = run.result()
            session = server.ended_session(run.token)
        assert result["sessid"] == session["sessid"]
        assert result["root"] == result["chat"] == [["connect"], ["disconnect", "booted"]]
        # The client ends its htmlfile stream while the goodbye is on its way on another connection.
        reason = session["reason"]
        assert reason == "peer_left" or (transport, reason) == ("htmlfile", "transport_lost")
        assert session["disconnects"] == {"": [reason], "/chat": [reason]}
        assert session["ended"] == 1
        assert session["seen"] == [["", "add", 1, 2], *(["", "say", word] for word in words)]

    def test_a_client_that_goes_without_a_word_is_missed(
        self, clients: Clients, server: Server, brisk_server: Server, transport: str
    ) -> None:
        # The end of a stream says enough. That nobody polls any more is seen in the end: the
        # server with the long timeouts would not tell before the test gave up.
        streaming = transport in STREAMS
        server = server if streaming else brisk_server
        reason = "transport_lost" if streaming else "close_timeout"
        with clients.run("stay", server.url, transport) as run:
            assert run.result()["sum"] == 3
            assert server.session(run.token)["alive"]
        session = server.ended_session(run.token)
        assert session["reason"] == reason
        assert session["disconnects"] == {"": [reason]}

    @pytest.mark.parametrize("event", ["", "kick me"], ids=["by-the-server", "by-a-handler"])
    def test_a_client_that_was_kicked_stays_away(
        self, clients: Clients, server: Server, transport: str, event: str
    ) -> None:
        with clients.run("kicked", server.url, transport, event=event) as run:
            run.wait_for("ready")
            if not event:
                assert server.ask("/kick", run.token) == 1
            result = run.result()
            session = server.ended_session(run.token)
        assert result["root"] == result["chat"] == [["connect"], ["disconnect", "booted"]]
        assert result["witnessed"] == [42]
        assert not result["reconnecting"]
        assert not result["connected"]
        assert session["reason"] == "kicked"
        assert session["disconnects"] == {"": ["kicked"], "/chat": ["kicked"]}
        after = [["", "after the kick"]] if event else []
        assert session["seen"] == [["", "add", 1, 2], *after]

    def test_a_client_comes_back_when_its_connection_was_cut(
        self, clients: Clients, brisk_server: Server, transport: str
    ) -> None:
        with (
            proxying(brisk_server.port) as proxy,
            clients.run("reconnect", f"http://127.0.0.1:{proxy.port}", transport) as run,
        ):
            run.wait_for("ready")
            assert proxy.cut() > 0
            run.wait_for("lost")
            proxy.mend()
            result = run.result()
            first, second = wait_until(
                lambda: first_ended(brisk_server.sessions(run.token)), "the end of the old session"
            )
        assert first["sessid"] == result["first"]["sessid"] != result["second"]["sessid"]
        assert second["sessid"] == result["second"]["sessid"]
        assert result["second"]["transport"] == transport
        assert result["lost"] == [[None], [None]]
        for word in ("before", "meanwhile", "after"):
            assert result[word] == [[word, "root"], [word, "chat"]]
        assert result["sum"] == [11]
        for log in (result["root"], result["chat"]):
            names = [entry[0] for entry in log]
            assert [names.count(name) for name in ("disconnect", "reconnect")] == [1, 1]
        assert first["seen"] == [
            ["", "greet", "root", "before"],
            ["/chat", "greet", "chat", "before"],
        ]
        reason = "transport_lost" if transport in STREAMS else "close_timeout"
        assert first["reason"] == reason
        assert first["disconnects"] == {"": [reason], "/chat": [reason]}
        assert second["alive"]
        assert second["connects"] == ["/chat"]
        assert second["disconnects"] == {}
        assert second["seen"] == [
            ["", "greet", "root", "meanwhile"],
            ["/chat", "greet", "chat", "meanwhile"],
            ["", "greet", "root", "after"],
            ["/chat", "greet", "chat", "after"],
            ["/chat", "add", 5, 6],
        ]

    def test_a_client_comes_back_when_its_server_was_restarted(
        self, clients: Clients, transport: str
    ) -> None:
        with contextlib.ExitStack() as stack:
            old = stack.enter_context(serving(**TIMINGS))
            proxy = stack.enter_context(proxying(old.port))
            url = f"http://127.0.0.1:{proxy.port}"
            run = stack.enter_context(clients.run("reconnect", url, transport))
            run.wait_for("ready")
            before = old.session(run.token)
            assert before["seen"] == [
                ["", "greet", "root", "before"],
                ["/chat", "greet", "chat", "before"],
            ]
            old.stop()
            run.wait_for("lost")
            new = stack.enter_context(serving(**TIMINGS))
            proxy.target = new.port
            result = run.result()
            session = new.session(run.token)
        assert before["sessid"] == result["first"]["sessid"]
        assert session["sessid"] == result["second"]["sessid"] != before["sessid"]
        assert session["transport"] == result["second"]["transport"] == transport
        assert result["lost"] == [[None], [None]]
        for word in ("before", "meanwhile", "after"):
            assert result[word] == [[word, "root"], [word, "chat"]]
        for log in (result["root"], result["chat"]):
            names = [entry[0] for entry in log]
            assert [names.count(name) for name in ("disconnect", "reconnect")] == [1, 1]
        assert session["connects"] == ["/chat"]
        assert session["seen"] == [
            ["", "greet", "root", "meanwhile"],
            ["/chat", "greet", "chat", "meanwhile"],
            ["", "greet", "root", "after"],
            ["/chat", "greet", "chat", "after"],
            ["/chat", "add", 5, 6],
        ]


def carriers(wire: list[str], texts: list[str]) -> int:
    """Return how many pieces of what went over the wire carry any of the texts as messages."""
    return sum(any(f"3:::{text}" in piece for text in texts) for piece in wire)


def first_ended(sessions: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Return both sessions of a client that came back, when the first one is over."""
    over = len(sessions) > 1 and sessions[0]["ended"] and not sessions[0]["alive"]
    return sessions if over else None
