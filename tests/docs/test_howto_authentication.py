"""docs/howto/authentication.rst: what its samples let in, and what they do not."""

import json
import sys
from urllib.parse import parse_qs

import pytest

from socketio.testing import Refused, TestServer
from tests.docs.howto import HOWTO, load, run_in_node, serving_sample
from tests.remote import RemoteClients, RemoteError
from tests.subprograms import running

KEY = "of the tests"


@pytest.fixture
def login(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", KEY)
    return load(HOWTO / "login.py")


@pytest.fixture
def access():
    return load(HOWTO / "access.py")


def as_(server, user, endpoint):
    """Connect somebody whose handshake has been authorized, as a test of one namespace may."""
    return server.connect(endpoint, environ={"test.user": user})


def knows(environ):
    return {"user": environ.get("test.user")}


def test_a_client_with_a_token_is_known_by_its_name(login):
    with TestServer(login.app, authorize=login.authorize) as server:
        ada = server.connect("/chat", query={"token": login.token_for("Ada")})
        assert ada.ask("whoami") == ["Ada"]


@pytest.mark.parametrize("query", [{}, {"token": ""}, {"token": "made.up"}, {"other": "1"}])
def test_a_client_without_one_is_refused(login, query):
    with TestServer(login.app, authorize=login.authorize) as server:
        with pytest.raises(Refused) as caught:
            server.connect("/chat", query=query)
        assert caught.value.status == 403


def test_a_token_is_good_for_some_minutes(login, monkeypatch):
    token = login.token_for("Ada")
    monkeypatch.setattr(login, "SECONDS", -1)
    with TestServer(login.app, authorize=login.authorize) as server, pytest.raises(Refused):
        server.connect("/chat", query={"token": token})


def test_the_real_client_shows_its_token_in_the_query_and_gives_up_without(login):
    token = login.token_for("Ada")
    with (
        serving_sample(HOWTO / "login.py", SECRET_KEY=KEY) as (_program, url),
        RemoteClients("websocket") as clients,
    ):
        ada = clients.connect(url, "/chat", {"query": f"token={token}"})
        assert ada.ask("whoami") == ["Ada"]
        with pytest.raises(RemoteError, match="unauthorized"):
            clients.connect(url, "/chat")


ECHO = """
from socketio.namespace import BaseNamespace

def authorize(environ):
    return {"query": environ["QUERY_STRING"]}

class Echo(BaseNamespace):
    def on_query(self):
        return self.session["query"]

    def on_break(self):
        self.socket.kill()

namespaces = {"/echo": Echo}
"""

RENEWING = """
const options = { query: 'token=first', 'reconnection delay': 50 };
const socket = io.connect(process.argv[1] + '/echo', options);
keepFresh(socket, (done) => done('a second&one'), 0.05);
const seen = [];
socket.on('connect', () => socket.emit('query', (query) => {
  seen.push(query);
  if (seen.length === 2) {
    console.log(JSON.stringify(seen));
    process.exit(0);
  }
  setTimeout(() => socket.emit('break'), 200);  // behind the first renewal
}));
"""


def test_a_page_that_renews_its_token_shows_the_new_one_when_it_comes_back(tmp_path):
    (tmp_path / "echo.py").write_text(ECHO)
    command = [sys.executable, "-m", "socketio", "echo:namespaces", "--port", "0"]
    with running([*command, "--authorize", "echo:authorize"], cwd=tmp_path) as program:
        url = program.wait_for_line(r"on (http://\S+?)/ ")[1]
        first, second = json.loads(
            run_in_node((HOWTO / "fresh_token.js").read_text() + RENEWING, url)
        )
    assert parse_qs(first)["token"] == ["first"]
    assert parse_qs(second)["token"] == ["a second&one"]


def test_editors_alone_enter_the_namespace_of_editors(access):
    with TestServer({"/admin": access.Admin}, authorize=knows) as server:
        assert as_(server, "Ada", "/admin").connected
        with pytest.raises(Refused, match="unauthorized"):
            as_(server, "Bob", "/admin")


def test_everybody_reads_and_editors_write(access):
    with TestServer({"/board": access.Board}, authorize=knows) as server:
        ada, bob = as_(server, "Ada", "/board"), as_(server, "Bob", "/board")
        assert ada.ask("write", "news") == [4]
        assert bob.ask("read") == ["the news of today"]
        assert bob.ask("write", "lies") == [None]
        assert bob.next("error").args[0] == "method_access_denied"


def test_who_logs_in_later_may_do_the_rest_then(access):
    with TestServer({"/late": access.Late}) as server:
        ada = server.connect("/late")
        ada.emit("whoami")
        assert ada.next("error").args[0] == "method_access_denied"
        assert ada.ask("login", "made up") == [False]
        ada.emit("whoami")
        assert ada.next("error").args[0] == "method_access_denied"
        assert ada.ask("login", "token of ada") == [True]
        assert ada.ask("whoami") == ["Ada"]
        ada.emit("logout")
        ada.emit("whoami")
        assert ada.next("error").args[0] == "method_access_denied"


def test_an_acl_without_recv_connect_lets_in_whom_that_would_refuse(access):
    """The pitfall that the page warns of."""

    class Leaky(access.Admin):
        def get_initial_acl(self):
            return {"on_read"}

    with TestServer({"/admin": Leaky}, authorize=knows) as server:
        assert as_(server, "Bob", "/admin").connected


def test_all_sessions_of_a_user_are_ended_and_no_others(access):
    with TestServer({"/board": access.Board}, authorize=knows) as server:
        ada, again, bob = (as_(server, name, "/board") for name in ("Ada", "Ada", "Bob"))
        access.log_out(server, "Ada")
        assert ada.sent_away
        assert again.sent_away
        assert bob.connected
