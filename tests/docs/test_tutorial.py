"""The tutorial, as its reader goes through it: the files of its pages, and the lines to type."""

from __future__ import annotations

import contextlib
import re
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from socketio.errors import NotOurServerError
from tests.docs.tutorialreader import (
    CHAPTERS,
    TUTORIAL,
    Reader,
    at,
    changed_lines,
    log_in,
    saves,
    server_line,
    types,
    up_to,
)
from tests.remote import RemoteClients, RemoteError
from tests.subprograms import free_port, running

TRANSPORTS = ["websocket", "xhr-polling"]


# -- the pages -------------------------------------------------------------------------------------


def test_what_is_new_in_a_file_is_marked() -> None:
    texts: dict[str, str] = {}
    for chapter in CHAPTERS:
        for step in saves(chapter):
            if step.name in texts:
                marked = changed_lines(texts[step.name], step.text)
                assert step.marked == marked, f"{step.name} of {chapter}"
            texts[step.name] = step.text
    assert {"hello.py", "chat.py", "static/chat.html", "test_chat.py"} <= set(texts)


def test_every_chapter_has_something_to_save_and_to_type() -> None:
    # What is not understood of a page would not be tested.
    assert [len(saves(chapter)) for chapter in CHAPTERS] == [2, 3, 2, 3, 2, 1, 2]
    assert [len(types(chapter)) for chapter in CHAPTERS] == [11, 1, 0, 0, 1, 2, 16]


# -- with the client in node -----------------------------------------------------------------------


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_hello_is_answered(transport: str, tmp_path: Path) -> None:
    with at("hello", tmp_path) as (_, url), RemoteClients(transport) as clients:
        ada = clients.connect(url, "/greetings")
        assert ada.ask("hello", "Ada") == [3]
        assert ada.next("greeting") == ["Hello Ada, says the server."]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_who_is_in_the_chat_is_heard_and_seen_by_all(transport: str, tmp_path: Path) -> None:
    with at("chat", tmp_path) as (_, url), RemoteClients(transport) as clients:
        ada, bob = clients.connect(url, "/chat"), clients.connect(url, "/chat")
        assert ada.ask("say", "too early") == [False]
        assert ada.ask("enter", "Bea") == [True]
        assert ada.ask("enter", "Ada") == [True]
        assert bob.ask("enter", "Bob") == [True]
        assert [ada.next("people") for _ in range(3)] == [[["Bea"]], [["Ada"]], [["Ada", "Bob"]]]
        assert bob.ask("say", "hello") == [True]
        assert ada.next("said") == bob.next("said") == ["Bob", "hello"]
        bob.disconnect()
        assert ada.next("people") == [["Ada"]]


def test_rooms_are_apart(tmp_path: Path) -> None:
    with at("rooms", tmp_path) as (_, url), RemoteClients() as clients:
        ada, bob, eve = (clients.connect(url, "/chat") for _ in range(3))
        assert ada.next("rooms") == [["lobby", "kitchen", "garden"]]
        assert ada.ask("join", "lobby") == [False]
        assert [ada.ask("enter", "Ada"), bob.ask("enter", "Bob"), eve.ask("enter", "Eve")]
        assert [ada.ask("join", room) for room in ("attic", ["lobby"])] == [[False], [False]]
        assert ada.ask("say", "too early") == [False]
        assert ada.ask("join", "kitchen") == bob.ask("join", "kitchen") == [True]
        assert eve.ask("join", "garden") == [True]
        assert bob.ask("say", "hello") == eve.ask("say", "sun") == [True]
        assert ada.next("said") == ["Bob", "hello"]
        assert [ada.next("people"), ada.next("people")] == [[["Ada"]], [["Ada", "Bob"]]]
        assert bob.ask("join", "lobby") == [True]
        assert ada.next("people") == [["Ada"]]
        assert not [event for event in ada.log() if event[0] == "said" and "sun" in event]


def test_who_may_come_in_and_who_may_send_away(tmp_path: Path) -> None:
    with at("login", tmp_path) as (_, url), contextlib.ExitStack() as life:

        def of(user: str, password: str) -> RemoteClients:
            headers, _ = log_in(url, user, password)
            return life.enter_context(RemoteClients(headers=headers))

        with pytest.raises(RemoteError, match="unauthorized"):
            of("ada", "wrong").connect(url, "/chat")
        bobs = of("bob", "shovel")
        ada, bob = of("ada", "engine").connect(url, "/chat"), bobs.connect(url, "/chat")
        assert ada.ask("join", "kitchen") == bob.ask("join", "kitchen") == [True]
        bob.emit("kick", "ada")
        assert bob.next("error")[0] == "method_access_denied"
        ada.emit("kick", "bob")
        assert bob.next("disconnect") == ["booted"]
        assert [ada.next("people") for _ in range(3)] == [[["ada"]], [["ada", "bob"]], [["ada"]]]
        with pytest.raises(RemoteError, match="unauthorized"):
            bobs.connect(url, "/chat")


# -- the tests of the reader -----------------------------------------------------------------------


def test_the_tests_of_the_reader_pass_and_can_fail(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    reader.read(*up_to("testing"))  # runs them
    program = reader.folder / "chat.py"
    text = program.read_text()
    broken = text.replace("if line[:2] not in [earlier[:2] for earlier in lines]:", "if True:")
    assert broken != text
    program.write_text(broken)
    with pytest.raises(AssertionError, match="twice_is_heard_once"):
        reader.type(types("testing")[-1])


# -- when it does not work -------------------------------------------------------------------------


def hints() -> list[str]:
    """Return what the first chapter says a reader may see who has made a mistake."""
    page = TUTORIAL.joinpath("hello.rst").read_text(encoding="utf-8")
    return re.findall(r"^``(.*)``\n   ", page, re.M)


def test_without_the_client_the_server_says_what_the_page_says(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    reader.read("hello")
    reader.folder.joinpath("socket.io.js").unlink()
    command = server_line("hello").command.split()
    with running(command, cwd=reader.folder, env=reader.env) as program:
        program.wait_for_line(re.escape(hints()[0]))


def test_of_a_port_that_is_taken_the_server_says_what_the_page_says(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    reader.read("hello")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [*server_line("hello").command.split(), "--port", str(taken.getsockname()[1])]
        with running(command, cwd=reader.folder, env=reader.env) as program:
            program.wait_for_line(re.escape(hints()[1]))


def test_flasks_own_server_says_what_the_page_says(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    reader.read("hello")
    port = str(free_port())
    command = ["python", "-m", "flask", "--app", "hello", "run", "--port", port]
    with running(command, cwd=reader.folder, env=reader.env) as program:
        program.wait_for_line("Running on")
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/socket.io/1/", timeout=60)
        program.wait_for_line(f"{NotOurServerError.__name__}: {re.escape(hints()[2])}")
