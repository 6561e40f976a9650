"""The chat of the page about python-socketio: ours runs, theirs is Python at least.

Both libraries are imported as ``socketio``, so that theirs cannot be in this environment.
"""

import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode, urlsplit

import pytest

from tests.client import WebSocketClient, fetch
from tests.remote import RemoteClients, RemoteError
from tests.subprograms import running

SAMPLES = Path(__file__).parents[2] / "docs" / "samples" / "migration"
THEIRS, OURS = SAMPLES / "chat_theirs.py", SAMPLES / "chat_ours.py"


@pytest.fixture(scope="module")
def url():
    with running([sys.executable, OURS], env={"PORT": "0"}) as program:
        yield program.wait_for_line(r"serving on (http://\S+)")[1]


@pytest.fixture(scope="module", params=["websocket", "xhr-polling"])
def clients(request):
    with RemoteClients(request.param) as clients:
        yield clients


def enter(clients, url, name):
    return clients.connect(url, "/chat", {"query": urlencode({"name": name})})


def test_our_chat_does_what_the_page_says(clients, url):
    zoe, ada = enter(clients, url, "Zoë"), enter(clients, url, "Ada")
    assert zoe.next("greeting") == ada.next("greeting") == ["Nice that you are here"]
    assert zoe.ask("enter", "red") == ada.ask("enter", "red") == [["red"]]
    assert zoe.next("entered") == ["Ada"]
    assert ada.ask("say", "red", "hi") == ["sent"]
    assert zoe.next("said") == ada.next("said") == ["Ada", "hi"]
    zoe.emit("ask")
    assert zoe.next("how many") == []
    ada.disconnect()
    assert zoe.next("left") == ["Ada"]
    zoe.disconnect()


def test_our_chat_gets_the_answer_of_a_client(url):
    server = SimpleNamespace(server_port=urlsplit(url).port, resource="socket.io")
    sessid = fetch(server, "GET", "/socket.io/1/?name=Bob").text.split(":")[0]
    bob = WebSocketClient(server, sessid).open()
    bob.send('5::/chat:{"name":"ask"}')
    assert bob.recv() == '5:1+:/chat:{"name":"how many"}'
    bob.send("6::/chat:1+[7]")
    received = {bob.recv(), bob.recv()}
    assert '5::/chat:{"args":[7],"name":"so many"}' in received
    bob.close()


def test_our_chat_refuses_who_has_no_name(clients, url):
    with pytest.raises(RemoteError, match="handshake unauthorized"):
        clients.connect(url, "/chat")


def test_theirs_is_python_and_has_the_same_handlers():
    theirs = THEIRS.read_text(encoding="utf-8")
    compile(theirs, THEIRS.name, "exec")
    ours = OURS.read_text(encoding="utf-8")
    for handler in ("on_enter", "on_say", "on_ask"):
        assert f"def {handler}(self" in ours
        assert f"def {handler}(self, sid" in theirs
