"""What the tests of the chats in ``examples/`` share: people who use them as people do."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import signal
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.jsclients import wait_until
from tests.remote import RemoteClient, RemoteClients, RemoteError
from tests.subprograms import TOP, Subprogram, running
from tests.tools import missing

__all__ = [
    "ChatConversations",
    "Running",
    "StageConversations",
    "entering",
    "get",
    "log_in",
    "needs",
    "no_connection_is_out",
    "starting",
]


@dataclass
class Running:
    """A server that serves, and where."""

    process: Subprogram
    url: str


def needs(*modules: str) -> None:
    """Skip the test unless these can be imported."""
    for name in modules:
        if importlib.util.find_spec(name) is None:
            missing(f"the module {name}")


@contextlib.contextmanager
def starting(argv: Sequence[str | Path], **env: str) -> Iterator[Running]:
    """Run a server; it serves when this is entered."""
    with running(argv, env=env, cwd=TOP) as process:
        yield Running(process, process.wait_for_line(r"serving on (\S+)")[1])


def get(url: str, headers: Mapping[str, str] | None = None) -> str:
    """Return the text at a URL."""
    request = urllib.request.Request(url, headers=dict(headers or {}))
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


def history(page: str, cookie: Mapping[str, str]) -> Any:
    """Return the last lines of a room, as its page of JSON has them."""
    return json.loads(get(page, cookie))


def log_in(url: str, user: str) -> Mapping[str, str]:
    """Return the headers that a browser sends after its user has logged in."""
    form = urllib.parse.urlencode({"user": user}).encode()
    with urllib.request.urlopen(f"{url}/login", form, timeout=30) as answer:
        assert answer.status == 204
        return {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}


@contextlib.contextmanager
def entering(url: str, user: str, transport: str = "websocket") -> Iterator[RemoteClient]:
    """Have a user log in and connect to the chat."""
    with RemoteClients(transport, headers=log_in(url, user)) as clients:
        yield clients.connect(url, "/chat")


class ChatConversations:
    """What every example does; a module that inherits them has the fixtures ``chat``, a
    server for all of them, and ``chat_alone``, one that a test may stop."""

    @pytest.mark.parametrize("transport", ["websocket", "xhr-polling"])
    def test_two_people_talk_in_a_room(self, chat: Running, transport: str) -> None:
        room, text = f"tea & {transport}", "hello \u2028 <b>you</b>"
        with entering(chat.url, "Bob", transport) as bob:
            with entering(chat.url, "Ada Lovelace", transport) as ada:
                assert (ada.transport_name(), bob.transport_name()) == (transport, transport)
                page, lines, people = ada.ask("join", room)
                assert urllib.parse.unquote(page) == f"{chat.url}/history/{room}"
                assert (lines, people) == ([], ["Ada Lovelace"])
                both = ["Ada Lovelace", "Bob"]
                assert bob.ask("join", room)[2] == both
                assert ada.next("joined") == ["Bob", both]
                assert ada.ask("say", text) == [True]
                assert bob.next("said") == ["Ada Lovelace", text]
                assert bob.ask("say", "hello Ada") == [True]
                assert ada.next("said") == ["Bob", "hello Ada"]
                said = [["Ada Lovelace", text], ["Bob", "hello Ada"]]
                assert history(page, log_in(chat.url, "Eve")) == said
                assert ada.ask("join", room)[1:] == [said, both]
                assert bob.next("left") == ["Ada Lovelace", ["Bob"]]
                assert bob.next("joined") == ["Ada Lovelace", both]
                ada.disconnect()
            assert bob.next("left") == ["Ada Lovelace", ["Bob"]]

    def test_who_is_in_no_room_is_not_heard(self, chat: Running) -> None:
        with entering(chat.url, "Ada") as ada:
            assert ada.ask("say", "hello?") == [False]
            page, cookie = f"{chat.url}/history/lobby", log_in(chat.url, "Ada")
            before = history(page, cookie)
            assert "hello?" not in [text for _, text in before]
            assert ada.ask("join", "")[:2] == [page, before]
            assert ada.ask("join", "elsewhere")[2] == ["Ada"]

    def test_two_windows_of_one_person_are_one_person(self, chat: Running) -> None:
        with entering(chat.url, "Ada") as ada, entering(chat.url, "Ada") as again:
            ada.ask("join", "windows")
            assert again.ask("join", "windows")[2] == ["Ada"]
            again.disconnect()
            assert ada.next("left") == ["Ada", ["Ada"]]

    def test_who_has_not_logged_in_is_refused(self, chat: Running) -> None:
        with RemoteClients() as clients, pytest.raises(RemoteError, match="unauthorized"):
            clients.connect(chat.url, "/chat")

    def test_what_was_said_is_not_for_who_has_not_logged_in(self, chat: Running) -> None:
        with pytest.raises(urllib.error.HTTPError) as refusal:
            get(f"{chat.url}/history/lobby")
        # Pyramid answers 403 to whom its security policy does not permit it, the others 401.
        assert refusal.value.code in (401, 403)
        refusal.value.close()

    @pytest.mark.parametrize("user", ["", " \t", "\0"])
    def test_a_name_without_a_letter_is_refused(self, chat: Running, user: str) -> None:
        with pytest.raises(urllib.error.HTTPError) as refusal:
            log_in(chat.url, user)
        assert refusal.value.code == 400
        refusal.value.close()

    def test_what_is_no_text_is_not_said_and_the_conversation_goes_on(self, chat: Running) -> None:
        with entering(chat.url, "Bob") as bob, entering(chat.url, "Ada") as ada:
            for client in (bob, ada):
                client.ask("join", "odd things")
            assert bob.next("joined") == ["Ada", ["Ada", "Bob"]]
            for odd in (None, 5, True, ["hello"], {"text": "hello"}, "", " \n", "\0"):
                assert ada.ask("say", odd) == [False]
            assert ada.ask("say", " half a \ud800 pair\0 ") == [True]
            assert bob.next("said") == ["Ada", "half a ? pair"]
            assert ada.ask("say", "x" * 1001) == [True]
            assert bob.next("said") == ["Ada", "x" * 1000]
            lines = [["Ada", "half a ? pair"], ["Ada", "x" * 1000]]
            assert ada.ask("join", " odd things\0")[1:] == [lines, ["Ada", "Bob"]]

    def test_a_room_without_a_name_is_the_lobby(self, chat: Running) -> None:
        with entering(chat.url, "Ada") as ada:
            for odd in (None, 5, ["tea"], {"room": "tea"}, " ", "\0"):
                assert ada.ask("join", odd)[0] == f"{chat.url}/history/lobby"

    def test_a_room_whose_name_is_no_unicode_can_be_joined(self, chat: Running) -> None:
        with entering(chat.url, "Bob") as bob, entering(chat.url, "Ada") as ada:
            for client in (bob, ada):
                page = client.ask("join", "half a \ud800 pair")[0]
            assert urllib.parse.unquote(page) == f"{chat.url}/history/half a ? pair"
            assert bob.next("joined") == ["Ada", ["Ada", "Bob"]]
            assert ada.ask("say", "hello") == [True]
            assert bob.next("said") == ["Ada", "hello"]

    def test_a_forged_cookie_is_nobody(self, chat: Running) -> None:
        name, _, value = log_in(chat.url, "Ada")["Cookie"].partition("=")
        forged = {"Cookie": f"{name}={value[:8]}{'A' if value[8] != 'A' else 'B'}{value[9:]}"}
        refused = pytest.raises(RemoteError, match="unauthorized")
        with RemoteClients(headers=forged) as clients, refused:
            clients.connect(chat.url, "/chat")

    def test_the_page_its_look_and_the_client_are_served(self, chat: Running) -> None:
        assert '<script src="/socket.io/socket.io.js">' in get(chat.url)
        assert "#status" in get(f"{chat.url}/look.css")
        assert "Socket.IO.js build:0.9.17" in get(f"{chat.url}/socket.io/socket.io.js")

    def test_it_ends_quietly_while_people_are_there(self, chat_alone: Running) -> None:
        with entering(chat_alone.url, "Ada"), entering(chat_alone.url, "Bob", "xhr-polling"):
            chat_alone.process.signal(signal.SIGTERM)
            assert chat_alone.process.wait() == 0
        assert "Traceback" not in chat_alone.process.output()
        assert "MonkeyPatchWarning" not in chat_alone.process.output()


class StageConversations:
    """What handlers find in the framework; besides, a module has the fixture ``stage``, the
    example with the additions of ``chatstage.py``."""

    def known(self, url: str, user: str) -> list[Any]:
        """Return what ``who()`` of the stage knows when all is well."""
        raise NotImplementedError

    def test_no_connection_to_the_database_is_out_while_clients_wait(self, stage: Running) -> None:
        with entering(stage.url, "Ada") as ada, entering(stage.url, "Bob", "xhr-polling") as bob:
            for client in (ada, bob):
                client.ask("join", "tea")
                client.ask("say", "hello")
                client.ask("join", "tea")  # which only reads
            no_connection_is_out(stage.url)

    def test_what_a_handler_that_fails_has_written_is_rolled_back(self, stage: Running) -> None:
        with entering(stage.url, "Ada") as ada:
            ada.ask("join", "coffee")
            ada.emit("fail")
            assert ada.next("error")[0] == "internal_error"
            assert ada.ask("say", "still here") == [True]
            assert ada.ask("join", "coffee")[1] == [["Ada", "still here"]]
            no_connection_is_out(stage.url)

    def test_two_handlers_at_work_at_once_each_have_their_own_request(self, stage: Running) -> None:
        with entering(stage.url, "Ada") as ada, entering(stage.url, "Bob", "xhr-polling") as bob:
            ada.emit("meet")
            bob.emit("meet")
            for user, client in (("Ada", ada), ("Bob", bob)):
                before, after = client.next("met")
                assert before == self.known(stage.url, user)
                assert after[:2] == before[:2]

    def test_spawned_functions_and_callbacks_have_it_too(self, stage: Running) -> None:
        with entering(stage.url, "Ada") as ada:
            ada.emit("spawn")
            assert ada.next("told") == [self.known(stage.url, "Ada")]
            ada.emit("acked")
            assert ada.next("told") == [self.known(stage.url, "Ada")]
            no_connection_is_out(stage.url)


def no_connection_is_out(url: str) -> None:
    """Wait until every connection is back in the pool."""
    wait_until(lambda: get(f"{url}/connections") == "0", "all connections being in the pool")
