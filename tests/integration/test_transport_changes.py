"""One session over several transports (F45 of the reliability design)."""

from __future__ import annotations

import re

from tests.client import event, wait_for
from tests.integration.wsstage import GREETING, has_ended, stage, works
from tests.unit.websocket.frames import CLOSE, Peer, close_frame
from tests.unit.websocket.handshakes import upgrade


def test_a_poll_takes_a_session_over_from_its_websocket() -> None:
    with stage() as on:
        peer, socket = on.connect()
        polling = on.polling(socket.sessid)
        poll = polling.start_poll()
        assert peer.read_close() == 1000
        socket.put_client_msg("3:::for the poll")
        assert poll.read_answer().text == "3:::for the poll"
        polling.send(event("echo", 1, msgid="1+"))
        assert polling.recv() == "6:::1+[1]"
        assert socket.connected
        assert "disconnect" not in on.record.seen


def test_a_websocket_takes_a_session_over_from_its_poll_without_another_greeting() -> None:
    with stage() as on:
        polling = on.polling().open()
        socket = on.server.sockets[polling.sessid]
        poll = polling.start_poll()
        wait_for(lambda: socket.transport)
        peer = on.dial(upgrade(target=on.url(polling.sessid)))
        assert " 101 " in peer.read_head()
        assert poll.read_answer().text == "8::"
        socket.put_client_msg("3:::for the websocket")
        assert peer.read_text() == "3:::for the websocket"
        assert works(peer)


def test_a_websocket_between_two_polls_gets_what_is_queued_one_frame_each() -> None:
    with stage() as on:
        polling = on.polling().open()
        socket = on.server.sockets[polling.sessid]
        for number in range(10):
            socket.put_client_msg(f"3:::{number}")
        peer = on.dial(upgrade(target=on.url(polling.sessid)))
        peer.read_head()
        assert [peer.read_text() for _ in range(10)] == [f"3:::{number}" for number in range(10)]


def test_a_post_works_beside_a_websocket() -> None:
    with stage() as on:
        peer, socket = on.connect()
        polling = on.polling(socket.sessid)
        polling.send("3:::posted", event("echo", 2, msgid="2+"))
        assert peer.read_text() == "6:::2+[2]"
        assert on.record.seen == ["posted"]
        assert works(peer)


def test_nothing_is_lost_or_repeated_while_a_session_changes_its_transport() -> None:
    with stage() as on:
        polling = on.polling().open()
        socket = on.server.sockets[polling.sessid]
        got: list[str] = []
        for turn in range(25):
            peer = on.dial(upgrade(target=on.url(polling.sessid)))
            peer.read_head()
            for number in range(4):
                socket.put_client_msg(f"3:::{turn}.{number}")
                if number == 1:
                    got += [peer.read_text() for _ in range(2)]
            hits = socket.hits
            poll = polling.start_poll()
            wait_for(lambda before=hits: socket.hits > before)
            while True:
                opcode, payload = peer.read_frame()
                if opcode == CLOSE:
                    peer.close()
                    break
                got.append(payload.decode())
            socket.put_client_msg(f"3:::{turn}.4")
            answer = poll.read_answer()
            assert answer.status == 200
            got += [message for message in _messages(answer.body) if message != "8::"]
            while len(got) < (turn + 1) * 5:
                got += [message for message in polling.poll() if message != "8::"]
        assert got == [f"3:::{turn}.{number}" for turn in range(25) for number in range(5)]


def _messages(body: bytes) -> list[str]:
    parts = re.split("\ufffd[0-9]+\ufffd", body.decode())
    return [part for part in parts if part]


def test_a_second_websocket_gets_no_greeting_and_all_that_is_queued_from_then_on() -> None:
    with stage() as on:
        first, socket = on.connect()
        assert works(first)
        second = on.dial(upgrade(target=on.url(socket.sessid)))
        assert " 101 " in second.read_head()
        for number in range(10):
            socket.put_client_msg(f"3:::{number}")
        assert first.read_close() == 1000
        assert [second.read_text() for _ in range(10)] == [f"3:::{number}" for number in range(10)]
        assert works(second)
        assert on.record.seen == []


def test_the_close_of_an_older_websocket_does_not_end_the_session() -> None:
    with stage() as on:
        first, socket = on.connect()
        second = on.dial(upgrade(target=on.url(socket.sessid)))
        second.read_head()
        assert first.read_close() == 1000
        first.send(close_frame(1000))
        first.close()
        assert works(second)
        assert socket.connected


def test_a_websocket_connection_serves_no_further_requests() -> None:
    with stage() as on:
        peer, socket = on.connect()
        peer.send(close_frame(1000), b"GET /page HTTP/1.1\r\nHost: h\r\n\r\n")
        assert peer.read_close() == 1000
        assert has_ended(socket, "transport_lost")


def test_a_websocket_may_follow_other_requests_on_its_connection() -> None:
    with stage() as on:
        connection = on.connection()
        sessid = connection.request("GET", "/socket.io/1/").text.split(":")[0]
        assert connection.request("GET", "/page").text == "the application's page"
        connection.send_raw(upgrade(target=on.url(sessid)))
        assert connection.read_answer().status == 101
        peer = Peer(connection.sock)
        peer._buffer = connection._buffer
        assert peer.read(5) == GREETING
        assert works(peer)
