"""``serve()`` and ``serve_paste()``, the server runners, row by row."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import socketio.server
from socketio.server import SocketIOServer, serve, serve_paste
from tests.client import fetch

ROOT = Path(__file__).resolve().parents[2]


def page(_environ, start_response):
    start_response("200 OK", [])
    return [b"the application's page"]


# -- what it makes of its arguments ----------------------------------------------------------------


class Served(SocketIOServer):
    """Returns at once from ``serve_forever()``, so that the server can be looked at."""

    made: list = []

    def __init__(self, listener, application, **kw):
        self.asked_for = listener
        self.made.append(self)
        super().__init__((listener[0], 0), application, log=None, **kw)

    def serve_forever(self):
        self.page = fetch(self, "GET", "/").text
        self.handshake = fetch(self, "GET", f"/{self.resource}/1/").text


@pytest.fixture
def served(monkeypatch):
    monkeypatch.setattr(socketio.server, "SocketIOServer", Served)
    Served.made = []

    def serve_once(*args, **kw):
        serve(*args, **kw)
        (server,) = Served.made
        return server

    return serve_once


def test_it_serves_on_port_6543_of_this_machine_by_default(served, capsys):
    server = served(page)
    assert server.asked_for == ("127.0.0.1", 6543)
    assert server.page == "the application's page"
    assert server.policy_server is False
    assert capsys.readouterr().out.startswith("serving on http://127.0.0.1:")


def test_it_prints_where_it_serves_unless_it_is_told_to_be_quiet(served, capsys):
    served(page, host="127.0.0.1", port=8123, _quiet=True)
    assert capsys.readouterr().out == ""


def test_it_gives_everything_back(served):
    server = served(page)
    assert not server.started
    assert server.closed


def test_every_value_may_be_text_as_in_an_ini_file(served):
    server = served(
        page,
        host="127.0.0.1",
        port="8123",
        resource="v1/socket.io",
        transports="xhr-polling, websocket",
        policy_server="False",
        policy_listener_port="10843",
        heartbeat_interval="12",
        heartbeat_timeout="33",
        close_timeout="44.5",
        max_sessions="100",
        strict_http="true",
        _quiet="yes",
    )
    assert server.asked_for == ("127.0.0.1", 8123)
    assert server.resource == "v1/socket.io"
    assert server.config["heartbeat_interval"] == 12
    assert server.config["max_sessions"] == 100
    assert server.handshake.split(":")[1:] == ["33", "44.5", "xhr-polling,websocket"]
    assert server.strict_http is True


def test_what_is_no_number_is_a_value_error_that_names_it(served):
    with pytest.raises(ValueError, match=r"heartbeat_timeout.*'soon'"):
        served(page, heartbeat_timeout="soon")


def test_the_rest_goes_to_the_server(served):
    server = served(page, origins="*", backlog=7)
    assert server.backlog == 7
    with pytest.raises(TypeError, match="'unknown_argument'"):
        serve(page, unknown_argument=1)


@pytest.mark.parametrize("value", ["True", "true", "enable", "yes", "on", "1", " On ", True])
def test_the_policy_server_is_asked_for_in_many_words(served, value):
    server = served(
        page,
        host="127.0.0.1",
        policy_server=value,
        policy_listener_host="127.0.0.1",
        policy_listener_port="0",
    )
    assert server.policy_server is True
    assert server.policy_listener == ("127.0.0.1", 0)


@pytest.mark.parametrize("value", ["False", "false", "no", "off", "0", "", "disable", False, None])
def test_any_other_word_means_no_policy_server(served, value):
    assert served(page, policy_server=value).policy_server is False


class Unstarted(Served):
    """Does not listen: the default port of the policy server may be somebody else's."""

    def start(self):
        pass

    def serve_forever(self):
        pass

    @property
    def server_port(self):
        return self.asked_for[1]


def test_the_policy_server_listens_on_port_10843_of_the_same_host_by_default(served, monkeypatch):
    monkeypatch.setattr(socketio.server, "SocketIOServer", Unstarted)
    Unstarted.made = Served.made
    server = served(page, host="127.0.0.2", policy_server="yes")
    assert server.policy_listener == ("127.0.0.2", 10843)


# -- in a process of its own -----------------------------------------------------------------------

SCRIPT = """
import json, sys
from socketio.server import serve, serve_paste

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"the application's page"]

how, kw = sys.argv[1], json.loads(sys.argv[2])
result = serve_paste(app, {"here": "."}, **kw) if how == "serve_paste" else serve(app, **kw)
print("returned", result)
"""


@pytest.fixture(params=["serve", "serve_paste"])
def process(request):
    """A process that serves, its URL, and what the runner returns at its end."""
    kw = {"host": "127.0.0.1", "port": "0", "transports": "xhr-polling", "log_file": os.devnull}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, request.param, json.dumps(kw)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            line = process.stdout.readline()
            assert line.startswith("serving on http://127.0.0.1:"), line
            yield process, line.split()[2], {"serve": "None", "serve_paste": "0"}[request.param]
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_interrupted_and_ends_without_a_traceback(process, number):
    server, url, result = process
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.read() == b"the application's page"
    with urllib.request.urlopen(f"{url}/socket.io/1/", timeout=30) as answer:
        sessid, rest = answer.read().decode().split(":", 1)
    assert rest == "60:60:xhr-polling"
    with urllib.request.urlopen(f"{url}/socket.io/1/xhr-polling/{sessid}", timeout=30) as answer:
        assert answer.read() == b"1::"
    server.send_signal(number)
    out, err = server.communicate(timeout=30)
    assert server.returncode == 0
    assert out == f"returned {result}\n"
    assert "Traceback" not in err
    assert "KeyboardInterrupt" not in err


def test_serve_paste_serves_like_serve(monkeypatch, served):
    assert serve_paste(page, {"here": "/", "__file__": "dev.ini"}, port="8123", _quiet=1) == 0
    (server,) = Served.made
    assert server.asked_for == ("127.0.0.1", 8123)
