"""docs/howto/sessions.rst: what is kept, where, and for how long."""

import json
import sys

import pytest

from socketio.testing import Event, TestServer
from tests.docs.howto import HOWTO, load, run_in_node
from tests.subprograms import running

KEY = "of the tests"


@pytest.fixture
def sessions(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", KEY)
    return load(HOWTO / "sessions.py")


def test_namespaces_of_one_client_share_its_session(sessions):
    with TestServer({"/basket": sessions.Basket, "/till": sessions.Till}) as server:
        ada, bob = server.connect("/basket"), server.connect("/basket")
        assert [ada.ask("add", "hat"), ada.ask("add", "coat")] == [[1], [2]]
        assert bob.ask("add", "cup") == [1]
        assert ada.of("/till").ask("pay") == [["hat", "coat"]]
        assert ada.of("/till").ask("pay") == [[]]


def test_the_request_of_the_handshake_is_kept(sessions):
    with TestServer({"/about": sessions.About}) as server:
        ada = server.connect(
            "/about", headers={"User-Agent": "Toaster"}, environ={"REMOTE_ADDR": "192.0.2.7"}
        )
        assert ada.ask("about") == ["192.0.2.7", "Toaster"]


def test_who_comes_back_with_a_ticket_is_who_they_were(sessions):
    with TestServer({"/chat": sessions.Chat}) as server:
        ada = server.connect("/chat")
        ada.ask("name", "Ada")
        (ticket,) = ada.ask("join", "attic")
        ada.reconnect()
        ada.emit("say", "attic", "hello")
        ada.expect_nothing()
        assert ada.ask("resume", ticket) == [True]
        ada.emit("say", "attic", "hello")
        assert ada.received() == [Event("said", ["Ada", "hello"])]


@pytest.mark.parametrize("ticket", ["", "made.up.it", None, 7, ["x"], {"name": "Ada"}])
def test_a_ticket_that_somebody_made_up_is_none(sessions, ticket):
    with TestServer({"/chat": sessions.Chat}) as server:
        ada = server.connect("/chat")
        assert ada.ask("resume", ticket) == [False]
        assert "name" not in ada.session


def test_a_ticket_is_too_old_some_day(sessions, monkeypatch):
    with TestServer({"/chat": sessions.Chat}) as server:
        ada = server.connect("/chat")
        (ticket,) = ada.ask("name", "Ada")
        monkeypatch.setattr(sessions, "DAY", -1)
        assert ada.ask("resume", ticket) == [False]


SERVER = """
import sys
sys.path[:0] = [{folder!r}]
from sessions import Chat

class Breaking(Chat):
    def on_break(self):
        self.socket.kill()

namespaces = {{"/chat": Breaking}}
"""

SCRIPT = """
{stay}
const chat = io.connect(process.argv[1] + '/chat', {{ 'reconnection delay': 50 }});
const keep = stay(chat);
const say = () => chat.emit('say', 'attic', 'hello');
let heard = [];
chat.on('said', (name, text) => {{
  heard.push([name, text]);
  if (heard.length === 2) {{
    console.log(JSON.stringify(heard));
    process.exit(0);
  }}
  chat.emit('break');
}});
chat.emit('name', 'Ada', keep);
chat.emit('join', 'attic', (ticket) => {{
  keep(ticket);
  say();
  chat.on('connect', say);  // behind that of stay()
}});
"""


def test_a_page_shows_its_ticket_when_it_comes_back(tmp_path):
    (tmp_path / "breaking.py").write_text(SERVER.format(folder=str(HOWTO)))
    command = [sys.executable, "-m", "socketio", "breaking:namespaces", "--port", "0"]
    with running(command, cwd=tmp_path, env={"SECRET_KEY": KEY}) as program:
        url = program.wait_for_line(r"on (http://\S+?)/ ")[1]
        script = SCRIPT.format(stay=(HOWTO / "stay.js").read_text())
        heard = json.loads(run_in_node(script, url))
    assert heard == [["Ada", "hello"], ["Ada", "hello"]]
