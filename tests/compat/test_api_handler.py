"""The interface of ``socketio.handler.SocketIOHandler``, row by row."""

import http.client

import pytest
from gevent.pywsgi import WSGIHandler

from socketio.handler import SocketIOHandler
from socketio.namespace import BaseNamespace
from socketio.transports import BaseTransport, WebsocketTransport, XHRPollingTransport
from tests.client import (
    Connection,
    PollingClient,
    Recorder,
    fetch,
    handshake,
    make_app,
    serving,
    wait_for,
)
from tests.compat.standins import client_of, listen_nowhere, online, running
from tests.streams import EVERY


def test_it_is_a_handler_of_pywsgi():
    assert issubclass(SocketIOHandler, WSGIHandler)


def test_its_first_argument_is_the_config():
    made = Recorder()

    class Handler(SocketIOHandler):
        def __init__(self, config, *args, **kwargs):
            super().__init__(config, *args, **kwargs)
            made(self.config, config, self.server)

    with serving({"": BaseNamespace}, handler_class=Handler) as server:
        handshake(server)
        assert made.seen == [(server.config, server.config, server)]


def test_a_subclass_may_parse_the_header_with_the_standard_library():
    class Handler(SocketIOHandler):
        def MessageClass(self, rfile, *args):
            return http.client.parse_headers(rfile)

    environs = Recorder()

    def app(environ, start_response):
        environs(environ.get("HTTP_X_MINE"))
        return make_app({"": BaseNamespace})(environ, start_response)

    with serving(app, handler_class=Handler) as server:
        answer = fetch(server, "GET", "/", X_Mine="yes")
        assert answer.text == "the application's page"
        assert environs.seen == ["yes"]
        with client_of(server) as client:
            client.send("3:1::x")
            assert client.recv() == "6:::1"


def test_a_subclass_may_call_the_constructor_unbound_and_add_to_the_environ():
    environs = Recorder()

    class Handler(SocketIOHandler):
        def __init__(self, *args, **kwargs):
            SocketIOHandler.__init__(self, *args, **kwargs)
            self.server.resource = "socket.io"

        def get_environ(self):
            environ = SocketIOHandler.get_environ(self)
            environ["my.key"] = "mine"
            return environ

    def app(environ, start_response):
        environs(environ["my.key"])
        return make_app({"": BaseNamespace})(environ, start_response)

    with serving(app, handler_class=Handler, resource="elsewhere") as server:
        assert fetch(server, "GET", "/").text == "the application's page"
        assert server.resource == "socket.io"
        with client_of(server):
            assert environs.seen == ["mine", "mine"]


# -- URLs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "groups"),
    [
        ("/socket.io/1/xhr-polling/123", ("socket.io", "xhr-polling", "123")),
        ("/socket.io/1/websocket/123/", ("socket.io", "websocket", "123")),
        ("/v1/socket.io/1/websocket/123", ("v1/socket.io", "websocket", "123")),
        ("/socket.io/1/", None),
        ("/socket.io/1/xhr-polling", None),
        ("/socket.io/1//123", None),
        ("/other", None),
    ],
)
def test_the_pattern_of_transport_urls(path, groups):
    match = SocketIOHandler.RE_REQUEST_URL.match(path)
    found = match and (match["resource"], match["transport_id"], match["sessid"])
    assert found == groups


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("/socket.io/1/", "socket.io"),
        ("/v1/socket.io/1/", "v1/socket.io"),
        ("/socket.io/1/xhr-polling/123", None),
        ("/socket.io/2/", None),
        ("/", None),
    ],
)
def test_the_pattern_of_handshake_urls(path, resource):
    match = SocketIOHandler.RE_HANDSHAKE_URL.match(path)
    assert (match and match["resource"]) == resource


@pytest.mark.parametrize(
    ("path", "groups"),
    [
        ("/socket.io/1//123/", ("socket.io", "123")),
        ("/socket.io/1//123", ("socket.io", "123")),
        ("/v1/socket.io/1//123", ("v1/socket.io", "123")),
        ("/socket.io/1/", None),
    ],
)
def test_the_pattern_of_disconnect_urls(path, groups):
    match = SocketIOHandler.RE_DISCONNECT_URL.match(path)
    assert (match and (match["resource"], match["sessid"])) == groups


# -- the application's requests --------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/socket.io",
        "/socket.io/",
        "/socket.io.js",
        "/socket.iox/1/",
        "/other/1/",
        "/socket.io/abc/",
        "/my/socket.io/1/",
        "/page?disconnect=1",
    ],
)
def test_requests_that_are_not_ours_reach_the_application_untouched(path):
    seen = Recorder()

    def app(environ, start_response):
        seen(
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"],
            environ["wsgi.input"].read(),
            environ["HTTP_X_MINE"],
            "socketio" in environ,
        )
        start_response("202 Accepted", [("X-Answer", "mine")])
        return [b"from ", b"the application"]

    with serving(app) as server:
        answer = fetch(server, "POST", path, b"the body", X_Mine="header")
        assert (answer.status, answer.text) == (202, "from the application")
        assert answer.headers["x-answer"] == "mine"
        assert seen.seen == [("POST", path.split("?")[0], b"the body", "header", False)]
        assert server.sockets == {}


def test_a_websocket_upgrade_that_is_not_ours_reaches_the_application():
    def app(environ, start_response):
        start_response("200 OK", [])
        return [environ["HTTP_UPGRADE"].encode()]

    with serving(app) as server:
        connection = Connection(server)
        connection.start("GET", "/chat", headers={"Upgrade": "websocket", "Connection": "Upgrade"})
        assert connection.read_answer().text == "websocket"
        connection.close()


def test_every_request_of_a_session_has_the_socket_in_its_environ():
    seen = Recorder()

    class Handler(SocketIOHandler):
        def run_application(self):
            super().run_application()
            socket = self.environ.get("socketio")
            seen(self.environ["REQUEST_METHOD"], socket and socket.sessid)

    with serving({"": BaseNamespace}, handler_class=Handler) as server:
        client = PollingClient(server).open()
        client.send("3:1::x")
        assert client.recv() == "6:::1"
        fetch(server, "GET", f"/socket.io/1//{client.sessid}/?disconnect=1")
        fetch(server, "GET", "/page")
        client.close()
        sessid = client.sessid
        wanted = [
            *[("GET", sessid)] * 2,  # handshake and greeting
            *[("GET", sessid), ("POST", sessid)],
            *[("GET", sessid), ("GET", None)],  # disconnect, page
        ]
        assert sorted(seen.seen, key=str) == sorted(wanted, key=str)


@pytest.mark.parametrize("transport", EVERY)
def test_the_environ_of_the_view_asks_for_no_upgrade_and_is_otherwise_that_of_the_request(
    transport,
):
    environs = []

    def app(environ, start_response):
        environs.append(dict(environ))
        return make_app({"": BaseNamespace})(environ, start_response)

    with serving(app) as server, client_of(server, transport) as client:
        (environ,) = environs
        assert "HTTP_UPGRADE" not in environ
        assert "upgrade" not in environ.get("HTTP_CONNECTION", "").lower()
        assert environ["PATH_INFO"] == f"/socket.io/1/{transport}/{client.sessid}"
        assert environ["REQUEST_METHOD"] == "GET"
        assert environ["REMOTE_ADDR"] == "127.0.0.1"
        assert environ["REMOTE_PORT"].isdigit()
        assert environ["HTTP_HOST"] == f"127.0.0.1:{server.server_port}"
        assert environ["wsgi.input"].read() == b""
        assert environ["socketio"] is server.sockets[client.sessid]


def test_the_view_of_a_websocket_finds_it_in_its_environ():
    found = []

    def app(environ, start_response):
        found.append(environ["wsgi.websocket"])
        return make_app({"": BaseNamespace})(environ, start_response)

    with serving(app) as server, client_of(server) as client:
        (websocket,) = found
        assert websocket.closed is False
        assert callable(websocket.receive)
        websocket.send("3:::from the view")
        assert client.recv() == "3:::from the view"
        websocket.close()
        assert websocket.closed is True
        with pytest.raises(EOFError):
            client.recv()


# -- handler_types ---------------------------------------------------------------------------------


def test_the_transports_have_their_ids():
    assert SocketIOHandler.handler_types["websocket"] is WebsocketTransport
    assert SocketIOHandler.handler_types["xhr-polling"] is XHRPollingTransport


def handler_with(**types):
    """Return a handler class with more transports, ``_`` in their names standing for ``-``."""
    more = {name.replace("_", "-"): cls for name, cls in types.items()}
    return type(
        "Handler",
        (SocketIOHandler,),
        {"handler_types": {**SocketIOHandler.handler_types, **more}},
    )


def exchange(transport, query="", method="GET", **kw):
    """Serve one request with the transport ``own``; returns the answer and the server's socket."""
    with serving({"": BaseNamespace}, handler_class=handler_with(own=transport), **kw) as server:
        sessid = handshake(server)
        socket = server.sockets[sessid]
        answer = fetch(server, method, f"/socket.io/1/own/{sessid}{query}")
        return answer, socket


def test_a_transport_of_the_application_is_offered_and_used():
    class Own(BaseTransport):
        def do_exchange(self, socket, request_method):
            assert self.config is self.handler.config
            assert socket is self.handler.environ["socketio"]
            self.handler.write_smart(f"{request_method} {socket.hits}")

    with serving({"": BaseNamespace}, handler_class=handler_with(own=Own)) as server:
        assert "own" in server.transports
        sessid = handshake(server)
        for number in (1, 2):
            answer = fetch(server, "POST", f"/socket.io/1/own/{sessid}")
            assert (answer.status, answer.text) == (200, f"POST {number}")


def test_a_transport_may_be_replaced():
    class Own(XHRPollingTransport):
        def encode_payload(self, messages):
            return super().encode_payload([text.upper() for text in messages])

    handler_class = handler_with(xhr_polling=Own)
    with online({"": BaseNamespace}, "xhr-polling", handler_class=handler_class) as client:
        client.socket.send_packet({"type": "message", "data": "hello"})
        assert client.recv() == "3:::HELLO"


def test_an_entry_may_be_added_to_the_class_s_own_dictionary(monkeypatch):
    class Own(BaseTransport):
        def do_exchange(self, socket, request_method):
            self.handler.write_plain_result("own")

    monkeypatch.setitem(SocketIOHandler.handler_types, "own", Own)
    with serving({"": BaseNamespace}, transports=["own"]) as server:
        assert fetch(server, "GET", "/socket.io/1/").text.endswith(":own")
        assert fetch(server, "GET", f"/socket.io/1/own/{handshake(server)}").text == "own"


# -- what a transport may write --------------------------------------------------------------------


class Writing(BaseTransport):
    """Calls what its query names."""

    def do_exchange(self, socket, request_method):
        what = self.handler.environ["QUERY_STRING"].split("&")[0]
        if what in ("handle_bad_request", "handle_disconnect_request"):
            getattr(self.handler, what)()
        else:
            getattr(self.handler, what)('some "data"</script>')


def test_write_plain_result_answers_with_plain_text():
    answer, _ = exchange(Writing, "?write_plain_result")
    assert (answer.status, answer.text) == (200, 'some "data"</script>')
    assert answer.headers["content-type"].startswith("text/plain")


def test_write_jsonp_result_answers_with_a_script():
    answer, _ = exchange(Writing, "?write_jsonp_result")
    assert answer.status == 200
    assert answer.text.startswith("io.j[0](")
    assert answer.headers["content-type"].startswith("application/javascript")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("?write_smart", 'some "data"</script>'),
        ("?write_smart&jsonp=3", 'io.j[3]("some \\"data\\"</script>");'),
        ("?write_smart&jsonp=alert(1)", 'some "data"</script>'),
    ],
)
def test_write_smart_answers_with_a_script_if_the_query_asks_for_one(query, text):
    answer, _ = exchange(Writing, query)
    assert (answer.status, answer.text) == (200, text)


def test_handle_bad_request_answers_400():
    answer, _ = exchange(Writing, "?handle_bad_request")
    assert answer.status == 400


def test_handle_disconnect_request_answers_400_where_the_url_is_no_disconnect_url():
    answer, socket = exchange(Writing, "?handle_disconnect_request")
    assert answer.status == 400
    assert socket.disconnect_reason != "peer_left"


@pytest.mark.parametrize("path", ["/socket.io/1//{}/", "/socket.io/1/xhr-polling/{}"])
def test_handle_disconnect_request_ends_the_session(path):
    class Handler(SocketIOHandler):
        def run_application(self):
            if "disconnect" in self.environ["QUERY_STRING"]:
                self.handle_disconnect_request()
            else:
                super().run_application()

    with running(listen_nowhere(make_app({"": BaseNamespace}), handler_class=Handler)) as server:
        sessid = handshake(server)
        socket = server.sockets[sessid]
        answer = fetch(server, "GET", path.format(sessid) + "?disconnect=1")
        assert (answer.status, answer.body) == (200, b"")
        wait_for(lambda: not server.sockets)
        assert socket.disconnect_reason == "peer_left"
        assert fetch(server, "GET", "/socket.io/1//123/?disconnect").status == 200
