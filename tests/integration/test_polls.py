"""What a poll brings, and what is left when one is cut off (protocol sections 7, 8.1)."""

from __future__ import annotations

import socket as stdsocket
from typing import Any

import pytest

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.wire.payload import encode_payload
from tests.client import Connection, event, wait_for
from tests.integration.httpplace import connected, open_session, place, reset_on_close


def test_posts_before_the_first_poll_are_taken_and_the_poll_still_gets_the_greeting() -> None:
    with place() as on:
        url, socket = on.new_session()
        for text in ("3:::one", "3:::two"):
            answer = on.fetch("POST", url, text.encode())
            assert (answer.status, answer.text) == (200, "1")
        assert socket.state == "NEW"
        assert on.site.record.seen == []
        on.fetch("POST", url, event("echo", "three", msgid="1+").encode())
        assert on.fetch("GET", url).text == "1::"
        assert on.fetch("GET", url).text == '6:::1+["three"]'
        assert on.site.record.seen == ["one", "two"]


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "PUT"])
def test_no_other_request_opens_a_session(method: str) -> None:
    with place() as on:
        url, socket = on.new_session()
        on.fetch(method, url)
        assert socket.state == "NEW"
        assert on.fetch("GET", url).text == "1::"


def test_the_first_poll_brings_the_greeting_alone_whatever_the_application_says() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ["socketio"].send_packet({"type": "message", "data": "early"})
        socketio_manage(environ, {"": BaseNamespace})
        return []

    with place(app) as on:
        client = on.polling()
        assert client.poll() == ["1::"]
        assert client.poll() == ["3:::early"]


def test_the_greeting_comes_once() -> None:
    with place(polling_duration=0.05) as on:
        url, _ = open_session(on)
        assert [on.fetch("GET", url).text for _ in range(3)] == ["8::"] * 3


def test_the_answer_to_a_poll_has_the_headers_of_the_reference_server() -> None:
    with place(polling_duration=0.05) as on:
        url, socket = on.new_session()
        for expected in ("1::", "8::", "3:::\u2603\U0001f600"):
            if expected.startswith("3"):
                socket.put_client_msg(expected)
            answer = on.fetch("GET", url)
            assert answer.body == expected.encode()
            assert answer.headers.pop("date")
            assert answer.headers == {
                "content-type": "text/plain; charset=UTF-8",
                "content-length": str(len(expected.encode())),
                "connection": "Keep-Alive",
            }


def test_a_poll_brings_everything_queued_as_one_payload_counted_in_utf16_units() -> None:
    with place() as on:
        url, socket = open_session(on)
        texts = ["3:::\U0001f600\U0001f600", "3:::\u00e9", "5:::" + '{"name":"x"}', "3::", "4:::1"]
        for text in texts:
            socket.put_client_msg(text)
        answer = on.fetch("GET", url)
        lengths = [8, 5, 16, 3, 5]
        assert answer.text == "".join(
            f"\ufffd{length}\ufffd{text}" for length, text in zip(lengths, texts, strict=True)
        )
        assert answer.headers["content-length"] == str(len(answer.body))
        socket.put_client_msg("3:::\U0001f600")
        assert on.fetch("GET", url).text == "3:::\U0001f600"


def test_a_lone_surrogate_in_a_packet_is_replaced_and_loses_nothing_else() -> None:
    with place() as on:
        url, socket = open_session(on)
        for text in ("3:::before", "3:::a\ud83db", "3:::after"):
            socket.put_client_msg(text)
        answer = on.fetch("GET", url)
        assert answer.text == (
            "\ufffd10\ufffd3:::before\ufffd7\ufffd3:::a\ufffdb\ufffd9\ufffd3:::after"
        )


def test_a_second_poll_ends_the_first_with_a_noop_and_takes_its_place() -> None:
    with place() as on:
        url, socket = open_session(on)
        with connected(on) as first, connected(on) as second:
            first.start("GET", url)
            wait_for(lambda: socket.transport)
            link = socket._link
            second.start("GET", url)
            wait_for(lambda: socket._link is not link)
            assert first.read_answer().text == "8::"
            socket.put_client_msg("3:::for the second")
            assert second.read_answer().text == "3:::for the second"
            assert first.request("GET", url + "?disconnect").status == 200


def test_a_hundred_pairs_of_polls_lose_and_repeat_nothing() -> None:
    with place() as on:
        url, socket = open_session(on)
        with connected(on) as first, connected(on) as second:
            for number in range(100):
                hits = socket.hits
                first.start("GET", url)
                second.start("GET", url)
                wait_for(lambda before=hits: socket.hits == before + 2)
                socket.put_client_msg(f"3:::{number}")
                answers = [first.read_answer().text, second.read_answer().text]
                assert sorted(answers) == [f"3:::{number}", "8::"]


@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_a_client_that_vanishes_in_its_poll_keeps_its_packets(how: str) -> None:
    with place() as on:
        url, socket = open_session(on)
        for number in range(10):
            gone = Connection(on.server)
            hits = socket.hits
            gone.start("GET", url)
            wait_for(lambda before=hits: socket.hits == before + 1)
            if how == "RST":
                reset_on_close(gone)
            gone.close()
            socket.put_client_msg(f"3:::{number}a")
            socket.put_client_msg(f"3:::{number}b")
            texts = ""
            while not texts:
                texts = on.fetch("GET", url).text.replace("8::", "")
            assert texts == encode_payload([f"3:::{number}a", f"3:::{number}b"])


def test_a_client_that_half_closes_behind_its_poll_loses_nothing() -> None:
    with place() as on:
        url, socket = open_session(on)
        with connected(on) as connection:
            connection.start("GET", url)
            wait_for(lambda: socket.transport)
            connection.sock.shutdown(stdsocket.SHUT_WR)
            socket.put_client_msg("3:::x")
            text = connection.read_answer().text
        if text == "8::":
            text = on.fetch("GET", url).text
        assert text == "3:::x"


def test_a_kick_between_two_polls_is_told_once_and_then_the_session_is_unknown() -> None:
    with place() as on:
        url, socket = open_session(on)
        socket.put_client_msg("3:::last words")
        socket.disconnect()
        assert on.fetch("GET", url).text == encode_payload(["3:::last words", "0::"])
        wait_for(lambda: not on.server.sockets)
        assert on.fetch("GET", url).status == 400
