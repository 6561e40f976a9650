"""The quiz of the migration page: as it was, what 2to3 makes of it, and as it is."""

import csv
import importlib.util
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest

from tests.client import WebSocketClient, fetch, serving
from tests.remote import RemoteClients
from tests.subprograms import running
from tests.tools import missing

SAMPLES = Path(__file__).parents[2] / "docs" / "samples" / "migration"
BEFORE = (SAMPLES / "quiz_before.txt").read_text(encoding="utf-8")
AFTER = (SAMPLES / "quiz_after.py").read_text(encoding="utf-8")


def left_by_2to3():
    """Return what the table of the page says: what stays as it was, and what to write instead."""
    with (SAMPLES / "left_by_2to3.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.reader(table, delimiter="|"))[1:]
    return [(left[2:-2], write[2:-2]) for left, _why, write in rows]


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """What 2to3 makes of the quiz."""
    if sys.version_info >= (3, 13):
        pytest.skip("Python 3.13 has no 2to3")
    if importlib.util.find_spec("lib2to3") is None:
        missing("lib2to3 (apt-get install python3-lib2to3)")
    path = tmp_path_factory.mktemp("converted") / "quiz.py"
    path.write_text(BEFORE, encoding="utf-8")
    command = [sys.executable, "-W", "ignore", "-m", "lib2to3", "-w", "-n", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return path.read_text(encoding="utf-8")


def test_the_old_quiz_is_no_python_3():
    with pytest.raises(SyntaxError):
        compile(BEFORE, "quiz", "exec")


def test_the_new_quiz_speaks_to_the_clients_of_the_old_one():
    command = [sys.executable, SAMPLES / "quiz_after.py"]
    with running(command, env={"PORT": "0"}) as program, RemoteClients() as clients:
        port = program.wait_for_line(r"serving on http://0\.0\.0\.0:([0-9]+)")[1]
        zoe, ada = (clients.connect(f"http://127.0.0.1:{port}", "/quiz") for _ in range(2))
        assert zoe.ask("enter", "red", "Zoë") == ["Zoë", "Wm/Dqw=="]
        assert ada.ask("enter", "red", "ada") == ["ada", "YWRh"]
        assert zoe.next("entered") == ["ada"]
        zoe.emit("answered", 1, 3)
        assert ada.next("score") == ["Zoë", 33]
        assert zoe.ask("players") == [["ada", "Zoë"]]
        zoe.emit("show", 0)
        assert zoe.next("player") == ["ada"]
        zoe.emit("show", 9)
        assert zoe.next("error") == ["no_such_player", "list index out of range"]
        assert zoe.next("time")[0] > 0
        program.wait_for_line("a player has come")


@pytest.mark.parametrize(("left", "write"), left_by_2to3())
def test_2to3_leaves_what_the_page_says(left, write, converted):
    assert left in BEFORE
    assert left in converted
    assert write in AFTER


def test_what_2to3_makes_of_it_is_python_3_and_still_not_right(converted):
    compile(converted, "quiz", "exec")
    # The process of the tests stays unpatched; the rest of the program runs as it stands.
    namespace = {"__name__": "quiz"}
    exec(re.sub(r"monkey\.patch_all\(\)", "", converted), namespace)
    namespace["time"] = SimpleNamespace(time=time.time, sleep=gevent.sleep)
    with serving(namespace["app"]) as server:
        client = WebSocketClient(server).open()
        client.send('5:1+:/quiz:{"name":"enter","args":["red","Zoe"]}')
        while "error" not in (packet := client.recv()):
            pass
        assert "internal_error" in packet
        client.close()
        with pytest.raises(EOFError):
            fetch(server, "GET", "/")
