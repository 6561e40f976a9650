"""``python -m socketio --reload``: real changes, and clients that come back."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.integration.commands import (
    START,
    command,
    eventually,
    fetch,
    finished,
    refuses,
    url_of,
    write_application,
)
from tests.remote import RemoteClients
from tests.subprograms import Subprogram

RELOAD = ("--port", "0", "--reload", "--no-access-log", "--stop-timeout", "0.5")
# How an error looks like; what the traceback of a ^C would begin with, too.
TRACEBACK = "Traceback"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_application(tmp_path)
    return tmp_path


def overwrite(path: Path, text: str) -> None:
    path.write_text(text)


def put_in_place(path: Path, text: str) -> None:
    """Write a file as most editors do: a new one in the place of the old one."""
    new = path.with_name(f"{path.name}~")
    new.write_text(text)
    new.replace(path)


def edit(folder: Path, old: str, new: str, write: Callable[[Path, str], None] = overwrite) -> None:
    path = folder / "chat.py"
    text = path.read_text()
    assert old in text
    write(path, text.replace(old, new))


def child_of(program: Subprogram) -> psutil.Process:
    """Return the process that serves, which is the only one."""
    (child,) = psutil.Process(program.pid).children()
    return child


@pytest.mark.parametrize("write", [overwrite, put_in_place])
@pytest.mark.parametrize("transport", ["websocket", "xhr-polling"])
def test_a_client_comes_back_to_the_new_code(
    folder: Path, transport: str, write: Callable[[Path, str], None]
) -> None:
    with command(folder, "chat:app", *RELOAD) as program, RemoteClients(transport) as clients:
        url = url_of(program)
        client = clients.connect(url, "/chat")
        assert client.ask("version") == ["one"]
        edit(folder, '"one"', '"two"', write)
        program.wait_for_line(r"^gevent-socketio: chat\.py changed, starting anew$")
        assert url_of(program) == url, "the port stays, though any was asked for"
        client.next("disconnect")
        client.next("reconnect")
        assert client.ask("version") == ["two"]
        program.signal(signal.SIGTERM)
        assert program.wait() == 0
        assert TRACEBACK not in program.output()


def test_a_mistake_in_the_code_is_shown_and_its_correction_waited_for(folder: Path) -> None:
    with command(folder, "chat:app", *RELOAD) as program, RemoteClients() as clients:
        url = url_of(program)
        client = clients.connect(url, "/chat")
        edit(folder, '"one"', '"one')
        program.wait_for_line(r"^SyntaxError: ")
        program.wait_for_line(r"^gevent-socketio: importing 'chat' failed")
        program.wait_for_line(r"waiting for a change of the code")
        edit(folder, '"one', '"two"; import nosuch #')
        program.wait_for_line(r"^ModuleNotFoundError: No module named 'nosuch'")
        program.wait_for_line(r"waiting for a change of the code")
        edit(folder, "import nosuch", "")
        assert url_of(program) == url
        client.next("reconnect")
        assert client.ask("version") == ["two"]


def test_it_may_begin_with_a_mistake_or_with_nothing(folder: Path) -> None:
    with command(folder, "late:app", *RELOAD) as program:
        program.wait_for_line("there is no module 'late'")
        program.wait_for_line("waiting for a change")
        (folder / "late.py").write_text("from chat import ap as app\n")
        program.wait_for_line("cannot import name 'ap'")
        (folder / "late.py").write_text("from chat import app\n")
        assert fetch(url_of(program)) == "one"


def test_modules_and_packages_elsewhere_are_looked_at(folder: Path, tmp_path: Path) -> None:
    deep = tmp_path / "elsewhere" / "shop" / "inner"
    deep.mkdir(parents=True)
    for path in (deep, deep.parent):
        (path / "__init__.py").write_text("")
    (deep / "prices.py").write_text("VERSION = 'one'\n")
    edit(folder, 'VERSION = "one"', "from shop.inner.prices import VERSION")
    env = {
        "PYTHONPATH": os.pathsep.join(
            [str(tmp_path / "elsewhere"), os.environ.get("PYTHONPATH", "")]
        )
    }
    env["PYTHONPATH"] += os.pathsep + str(Path(__file__).resolve().parents[2])
    with command(folder, "chat:app", *RELOAD, env=env) as program:
        assert fetch(url_of(program)) == "one"
        # A mistake there is mended there.
        (deep / "prices.py").write_text("VERSION = \n")
        program.wait_for_line("waiting for a change")
        (deep / "prices.py").write_text("VERSION = 'two'\n")
        assert fetch(url_of(program)) == "two"


def test_a_module_that_is_imported_later_is_looked_at(folder: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    (away / "lazy.py").write_text("answer = 'lazy one'\n")
    edit(
        folder,
        "    start_response(",
        f"    import sys\n    sys.path.insert(0, {str(away)!r})\n    import lazy\n"
        "    environ['PATH_INFO'], VERSION = '/', lazy.answer\n    start_response(",
    )
    with command(folder, "chat:app", *RELOAD) as program:
        url = url_of(program)
        assert fetch(url) == "lazy one"

        def changed() -> bool:
            # Until it is known that the module is there, a change of it means nothing.
            (away / "lazy.py").write_text(f"answer = 'lazy two' {'#' * next(numbers)}\n")
            return "lazy.py changed" in program.output()

        numbers = iter(range(1, 100_000))
        eventually(changed)
        url_of(program)
        assert fetch(url) == "lazy two"


def test_all_below_a_directory_is_looked_at_if_it_is_named(folder: Path, tmp_path: Path) -> None:
    plugins = tmp_path / "plugins" / "inner"
    plugins.mkdir(parents=True)
    options = ["--reload-dir", str(tmp_path / "plugins")]
    with command(folder, "chat:app", *RELOAD, *options) as program:
        url_of(program)
        (plugins / "notes.txt").write_text("no code")
        (plugins / "new.py").write_text("")
        program.wait_for_line(r"new\.py changed, starting anew")
        url_of(program)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("whom", ["supervisor", "group"])
def test_a_signal_ends_both_processes_gracefully(
    folder: Path, number: signal.Signals, whom: str
) -> None:
    with command(folder, "chat:app", *RELOAD) as program, RemoteClients() as clients:
        url = url_of(program)
        client = clients.connect(url, "/chat")
        child = child_of(program)
        if whom == "group":  # as a terminal does with ^C
            os.killpg(program.pid, number)
        else:
            program.signal(number)
        assert program.wait() == 0
        client.next("disconnect")
        client.next("reconnecting")
        assert not child.is_running()
        assert refuses(url)
        assert TRACEBACK not in program.output()


def test_a_signal_that_reaches_the_server_at_its_very_end_changes_nothing(folder: Path) -> None:
    ending = (
        "import atexit, os, signal\n"
        "def end():  # as Python does last of all\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "atexit.register(end)\n"
    )
    (folder / "late.py").write_text(ending + (folder / "chat.py").read_text())
    with command(folder, "late:app", *RELOAD) as program:
        url_of(program)
        program.signal(signal.SIGINT)
        assert program.wait() == 0


def test_a_second_interrupt_ends_both_at_once(folder: Path) -> None:
    options = [*RELOAD[:-1], "600"]
    with command(folder, "chat:app", *options) as program, RemoteClients() as clients:
        clients.connect(url_of(program), "/chat").emit("stay")
        program.wait_for_line("staying")
        child = child_of(program)
        os.killpg(program.pid, signal.SIGINT)
        program.wait_for_line("stopping, within 600 s")
        os.killpg(program.pid, signal.SIGINT)
        assert program.wait() == 130
        assert not child.is_running()
        assert TRACEBACK not in program.output()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_while_it_waits_for_a_correction(
    folder: Path, number: signal.Signals
) -> None:
    with command(folder, "chat:nothing", *RELOAD) as program:
        program.wait_for_line("waiting for a change")
        program.signal(number)
        assert program.wait() == 0
        assert TRACEBACK not in program.output()


def test_a_server_that_lets_nothing_else_run_is_replaced_too(folder: Path) -> None:
    with command(folder, "chat:app", *RELOAD) as program, RemoteClients() as clients:
        url = url_of(program)
        clients.connect(url, "/chat").emit("spin")
        program.wait_for_line("spinning")
        edit(folder, '"one"', '"two"')
        program.wait_for_line(r"the server has not stopped in 3\.5 s, it is killed")
        assert url_of(program) == url
        assert fetch(url) == "two"


def test_the_status_of_the_server_is_that_of_the_command(folder: Path) -> None:
    with command(folder, "chat:app", *RELOAD) as program, RemoteClients() as clients:
        clients.connect(url_of(program), "/chat").emit("leave", 7)
        assert program.wait() == 7
    with command(folder, "chat:app", *RELOAD) as program:
        url_of(program)
        child_of(program).kill()
        assert program.wait() == 128 + signal.SIGKILL
    status, output = finished(folder, "chat:app", *RELOAD, "--certfile", "x.pem")
    assert (status, output.count("\n")) == (1, 1)
    assert finished(folder, "chat:app", *RELOAD, "--close-timeout", "x")[0] == 2


def test_nothing_serves_on_when_the_supervisor_is_killed(folder: Path) -> None:
    with command(folder, "chat:app", *RELOAD) as program:
        url = url_of(program)
        child = child_of(program)
        program.signal(signal.SIGKILL)
        assert program.wait() == -signal.SIGKILL
        eventually(lambda: refuses(url))
        eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_unix_socket_lives_as_long_as_the_supervisor(folder: Path) -> None:
    path = folder / "chat.sock"
    options = ["--unix", str(path), *RELOAD[2:]]
    with command(folder, "chat:app", *options) as program:
        assert url_of(program) == f"unix:{path}"
        inode = path.stat().st_ino
        edit(folder, '"one"', '"two"')
        assert url_of(program) == f"unix:{path}"
        assert path.stat().st_ino == inode
        program.signal(signal.SIGINT)
        assert program.wait() == 0
    assert not path.exists()


def test_what_is_registered_for_the_end_of_the_program_is_run(folder: Path) -> None:
    edit(folder, 'VERSION = "one"', "import atexit; atexit.register(print, 'good-bye', flush=True)")
    with command(folder, "chat:app", *RELOAD) as program:
        program.wait_for_line(START)
        edit(folder, "good-bye", "fare well")
        program.wait_for_line("^good-bye$")
        program.wait_for_line(START)
        program.signal(signal.SIGTERM)
        assert program.wait() == 0
        assert re.findall(r"^(good-bye|fare well)$", program.output(), re.MULTILINE) == [
            "good-bye",
            "fare well",
        ]
