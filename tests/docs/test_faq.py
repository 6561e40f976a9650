"""The questions and answers: their form, and what no other test shows of what they say."""

import re
import runpy
from pathlib import Path

import pytest
from werkzeug.debug import DebuggedApplication

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.testing import TestServer
from tests.client import CLIENTS, event, make_app, serving

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
PAGE = (SAMPLES.parent / "faq.rst").read_text(encoding="utf-8")
QUESTION = re.compile(
    r"^(?P<question>[^\n]+)\n\.{3,}\n\n(?P<answer>.+?)(?=\n\n[^\n]+\n[.-]{3,}|\Z)", re.M | re.S
)
ANSWERS = {match["question"]: match["answer"].strip() for match in QUESTION.finditer(PAGE)}


class Room(BaseNamespace):
    def on_who(self):
        return self.ns_name

    def process_event(self, packet):
        if ":" in packet["name"]:
            return packet["name"].split(":")
        return super().process_event(packet)


class Rooms(dict):
    """As the answer about namespaces says: any endpoint below /room/."""

    def __contains__(self, endpoint):
        return endpoint.startswith("/room/")

    def __getitem__(self, endpoint):
        return Room


def test_there_are_questions():
    assert len(ANSWERS) == PAGE.count("\n....") > 35


@pytest.mark.parametrize("question", ANSWERS)
def test_an_answer_is_short_and_says_where_there_is_more(question):
    answer = ANSWERS[question]
    assert len(answer.splitlines()) <= 8
    # What is true of the world rather than of the library needs no page.
    assert re.search(":(doc|ref):`", answer) or len(answer.splitlines()) <= 3


@pytest.mark.parametrize("transport", CLIENTS)
def test_namespaces_may_be_made_up_as_they_are_asked_for(transport):
    def app(environ, start_response):
        socketio_manage(environ, Rooms())
        return []

    with serving(app) as server:
        client = CLIENTS[transport](server).open()
        client.send(event("who", endpoint="/room/7", msgid="1+"))
        assert client.recv() == '6::/room/7:1+["/room/7"]'
        client.send(event("who", endpoint="/hall", msgid="2+"))
        assert "no_such_namespace" in client.recv()
        client.close()


def test_names_with_a_colon_reach_process_event():
    with serving({"": Room}) as server:
        client = CLIENTS["websocket"](server).open()
        client.send(event("chat:say", msgid="1+"))
        assert client.recv() == '6:::1+[["chat","say"]]'
        client.close()


@pytest.mark.parametrize("transport", CLIENTS)
def test_the_debugger_of_werkzeug_may_be_around_the_application(transport):
    with serving(DebuggedApplication(make_app({"": Room}))) as server:
        client = CLIENTS[transport](server).open()
        client.send(event("who", msgid="1+"))
        assert client.recv() == '6:::1+[""]'
        client.close()


def test_a_client_that_sends_too_much_is_stopped_and_goes_on_later():
    sample = runpy.run_path(str(SAMPLES / "howto" / "toomuch.py"))
    with TestServer({"": sample["Chat"]}) as server:
        client = server.connect()
        client.emit("say", 0)
        chat = client.namespace
        for number in range(1, sample["PER_SECOND"]):
            client.emit("say", number)
        assert client.ask("say", "one more") == [False]
        client.expect("error", "too_fast", "slow down")
        chat.since -= 2  # seconds later
        assert client.ask("say", "now") == [True]
