"""The interface of ``socketio.server.SocketIOServer``, row by row."""

import logging
import ssl

import gevent
import pytest
import trustme
from gevent import socket as gsocket
from gevent.pool import Pool
from gevent.pywsgi import WSGIServer
from geventwebsocket.handler import WebSocketHandler as ForeignHandler

import socketio.connections
import socketio.server
from socketio.handler import SocketIOHandler
from socketio.namespace import BaseNamespace
from socketio.policyserver import FlashPolicyServer
from socketio.server import SocketIOServer
from socketio.virtsocket import Socket
from tests.client import (
    DEADLINE,
    PollingClient,
    Recorder,
    WebSocketClient,
    event,
    fetch,
    handshake,
    make_app,
    serving,
    wait_for,
)
from tests.compat.standins import client_of, listen_nowhere, online, running
from tests.streams import ALL_CLIENTS, EVERY, STREAMING, WEBSOCKETS

every = pytest.mark.parametrize("transport", EVERY)


def page(_environ, start_response):
    start_response("200 OK", [])
    return [b"the application's page"]


# -- what it takes ---------------------------------------------------------------------------------


def test_it_is_a_wsgi_server_of_gevent():
    assert issubclass(SocketIOServer, WSGIServer)


@pytest.mark.parametrize("form", ["tuple", "text", "port", "socket"])
def test_it_listens_wherever_gevent_s_server_does(form):
    listener = {"tuple": ("127.0.0.1", 0), "text": "127.0.0.1:0", "port": 0}.get(form)
    if form == "socket":
        listener = gsocket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(5)
    server = SocketIOServer(listener, page, log=None)
    with running(server):
        assert fetch(server, "GET", "/").text == "the application's page"
        assert server.socket.getsockname()[1] == server.server_port


def test_it_listens_on_a_unix_socket(tmp_path):
    path = str(tmp_path / "socket")
    listener = gsocket.socket(gsocket.AF_UNIX)
    listener.bind(path)
    listener.listen(5)

    def ask(target):
        with gsocket.socket(gsocket.AF_UNIX) as sock:
            sock.settimeout(DEADLINE)
            sock.connect(path)
            sock.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while data := sock.recv(4096):
                answer += data
        return answer.decode().split("\r\n\r\n", 1)[1]

    with running(SocketIOServer(listener, make_app({"": BaseNamespace}), log=None)):
        sessid = ask("/socket.io/1/").split(":")[0]
        assert ask(f"/socket.io/1/xhr-polling/{sessid}") == "1::"
        assert ask("/") == "the application's page"


def test_it_takes_the_arguments_of_gevent_s_server():
    lines = Recorder()

    class Log:
        def write(self, text):
            lines(text)

    pool = Pool(5)
    # The third by position is the backlog, as in gevent.
    server = SocketIOServer(
        ("127.0.0.1", 0), make_environ_page, 7, spawn=pool, log=Log(), environ={"my.key": "mine"}
    )
    assert server.backlog == 7
    with running(server):
        assert fetch(server, "GET", "/page").text == "mine"
        wait_for(lambda: lines.seen)
        assert "GET /page" in lines.seen[0]
    assert server.pool is pool


def make_environ_page(environ, start_response):
    start_response("200 OK", [])
    return [environ["my.key"].encode()]


def test_it_takes_the_tls_arguments_of_gevent_s_server(tmp_path):
    # Of old: keyfile= and certfile=.
    certificate = trustme.CA().issue_cert("localhost")
    files = {"keyfile": str(tmp_path / "my.key"), "certfile": str(tmp_path / "my.crt")}
    certificate.private_key_pem.write_to_path(files["keyfile"])
    certificate.cert_chain_pems[0].write_to_path(files["certfile"])
    assert listen_nowhere(**files).ssl_enabled
    assert listen_nowhere(ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)).ssl_enabled
    assert not listen_nowhere().ssl_enabled


def test_an_unknown_argument_is_a_type_error_that_names_what_was_meant():
    with pytest.raises(TypeError, match=r"'heartbeat_intervall'.*'heartbeat_interval'"):
        listen_nowhere(heartbeat_intervall=5)


def test_the_defaults_are_those_of_the_original_but_for_the_policy_server():
    server = listen_nowhere()
    assert server.resource == "socket.io"
    assert server.policy_server is False
    assert server.config["heartbeat_interval"] == 25
    assert server.config["heartbeat_timeout"] == 60
    assert server.config["close_timeout"] == 60
    assert server.sockets == {}


def test_the_config_is_a_mapping_with_the_timings():
    server = listen_nowhere(heartbeat_interval=5, heartbeat_timeout=12.5, close_timeout=20)
    config = server.config
    timings = ("heartbeat_interval", "heartbeat_timeout", "close_timeout")
    assert [config[name] for name in timings] == [5, 12.5, 20]
    assert config.get("heartbeat_interval") == 5
    assert config.get("unknown", "default") == "default"
    assert set(timings) <= set(config.keys()) == set(dict(config))
    with pytest.raises(KeyError):
        _ = config["unknown"]


@pytest.mark.parametrize("name", ["heartbeat_interval", "max_body_size", "handshake_timeout"])
@pytest.mark.parametrize("value", [0, -1, "x"])
def test_a_setting_out_of_range_is_a_value_error_that_names_it_and_its_value(name, value):
    with pytest.raises(ValueError, match=f"{name}: {value!r}"):
        listen_nowhere(**{name: value})


def test_the_timings_are_told_in_the_handshake():
    with serving(page, heartbeat_timeout=30, close_timeout=20, transports=["websocket"]) as server:
        body = fetch(server, "GET", "/socket.io/1/").text
        assert body.split(":")[1:] == ["30", "20", "websocket"]


# -- resource and namespace ------------------------------------------------------------------------


@pytest.mark.parametrize("resource", ["chat", "v1/socket.io", "/chat/", "a/b/c"])
def test_the_resource_may_have_slashes_inside_and_at_its_ends(resource):
    with serving(page, resource=resource) as server:
        assert server.resource == resource.strip("/")
        assert fetch(server, "GET", f"/{server.resource}/1/").text.endswith(
            ":60:60:" + ",".join(server.transports)
        )
        assert fetch(server, "GET", "/socket.io/1/").text == "the application's page"


def test_the_resource_may_be_set_later():
    # A handler class of Ajenti's does, in its constructor.
    with serving(page, resource="chat") as server:
        server.resource = "socket.io"
        assert len(handshake(server)) > 20


def test_namespace_is_a_deprecated_name_of_the_resource():
    with pytest.warns(DeprecationWarning, match="use resource="):
        server = listen_nowhere(namespace="chat")
    assert server.resource == "chat"


# -- transports ------------------------------------------------------------------------------------


def test_all_transports_are_offered_by_default():
    assert set(listen_nowhere().transports) == set(SocketIOHandler.handler_types)


@pytest.mark.parametrize("transports", [["xhr-polling"], ("xhr-polling", "websocket")])
def test_the_transports_are_those_asked_for_in_their_order(transports):
    with serving(page, transports=transports) as server:
        assert list(server.transports) == list(transports)
        offered = fetch(server, "GET", "/socket.io/1/").text.split(":")[3]
        assert offered == ",".join(transports)


def test_a_transport_that_is_not_offered_is_refused():
    with serving(page, transports=["xhr-polling"]) as server:
        sessid = handshake(server)
        assert fetch(server, "GET", f"/socket.io/1/websocket/{sessid}").status == 400
        assert fetch(server, "GET", f"/socket.io/1/xhr-polling/{sessid}").text == "1::"


def test_an_unknown_transport_is_a_value_error_that_lists_the_known():
    with pytest.raises(ValueError) as caught:
        listen_nowhere(transports=["websocket", "carrier-pigeon"])
    assert "'carrier-pigeon'" in str(caught.value)
    for name in SocketIOHandler.handler_types:
        assert name in str(caught.value)


# -- sockets and get_socket() ----------------------------------------------------------------------


def test_sockets_is_a_dictionary_of_the_sessions():
    with serving({"": BaseNamespace}) as server:
        assert isinstance(server.sockets, dict)
        sessid = handshake(server)
        assert list(server.sockets) == [sessid]
        assert sessid in server.sockets
        assert len(server.sockets) == 1
        assert isinstance(server.sockets[sessid], Socket)
        assert server.sockets.get("unknown") is None
        assert dict(server.sockets) == {sessid: server.sockets[sessid]}


@pytest.mark.parametrize(
    "loop", [list, lambda d: d.keys(), lambda d: d.values(), lambda d: d.items(), iter]
)
def test_sockets_may_be_iterated_while_sessions_come_and_go(loop):
    server = listen_nowhere()
    for _ in range(5):
        server.get_socket()
    seen = 0
    for _ in loop(server.sockets):
        seen += 1
        server.sockets.popitem()
        server.get_socket()
        server.get_socket()
    assert seen == 5


def test_applications_loop_over_sockets_in_a_greenlet_of_their_own():
    with serving({"": BaseNamespace}) as server, client_of(server) as client:
        done = Recorder()

        def loop():
            for sessid, socket in server.sockets.items():
                gevent.sleep(0)
                wait_for(lambda: len(server.sockets) > 1)
                socket.send_packet({"type": "event", "name": "x", "args": (), "endpoint": ""})
                done(sessid)

        job = gevent.spawn(loop)
        handshake(server)
        job.get(timeout=5)
        assert done.seen == [client.sessid]
        assert client.recv() == '5:::{"name":"x"}'


def test_get_socket_makes_and_registers_a_socket_for_no_id():
    server = listen_nowhere()
    one, two = server.get_socket(), server.get_socket("")
    assert one is not two
    assert server.sockets == {one.sessid: one, two.sessid: two}
    assert one.config is server.config
    assert one.hits == 0


def test_get_socket_finds_a_known_id_and_counts_the_hit():
    server = listen_nowhere()
    socket = server.get_socket()
    assert server.get_socket(socket.sessid) is socket
    assert server.get_socket(sessid=socket.sessid) is socket
    assert socket.hits == 2


def test_get_socket_knows_no_other_id():
    server = listen_nowhere()
    server.get_socket()
    assert server.get_socket("1234") is None
    assert len(server.sockets) == 1


class OwnSocket(Socket):
    """A socket of the application's own class."""


class OwnServer(SocketIOServer):
    """Looks sessions up in its own way, as applications do."""

    def get_socket(self, sessid=""):
        self.looked_up = [*getattr(self, "looked_up", []), sessid]
        socket = self.sockets.get(sessid)
        if sessid and not socket:
            return None
        if socket is None:
            socket = OwnSocket(self, self.config)
            self.sockets[socket.sessid] = socket
        else:
            socket.incr_hits()
        return socket


@every
def test_every_look_up_goes_through_get_socket(transport):
    with running(listen_nowhere(make_app({"": BaseNamespace}), OwnServer)) as server:
        with client_of(server, transport) as client:
            assert type(server.sockets[client.sessid]) is OwnSocket
            client.send("3:1::x")
            assert client.recv() == "6:::1"
            fetch(server, "GET", f"/socket.io/1//{client.sessid}/?disconnect=1")
            wait_for(lambda: not server.sockets)
        looked_up = list(server.looked_up)
        requests = 1 if transport in WEBSOCKETS else 3 - (transport in STREAMING)
        assert looked_up == ["", *[client.sessid] * (requests + 1)]


@every
def test_get_socket_may_be_replaced_on_the_class(transport, monkeypatch):
    # A well-known patch: an unknown session becomes a new one instead of an error.
    def patched_get_socket(self, sessid=""):
        socket = self.sockets.get(sessid)
        if socket is None:
            socket = Socket(self, self.config)
            self.sockets[socket.sessid] = socket
        else:
            socket.incr_hits()
        return socket

    monkeypatch.setattr(SocketIOServer, "get_socket", patched_get_socket)
    with serving({"": BaseNamespace}) as server:
        with client_of(server, transport) as client:
            client.send("3:1::x")
            assert client.recv() == "6:::1"
        lost = fetch(server, "GET", "/socket.io/1/xhr-polling/1234")
        assert (lost.status, lost.text) == (200, "1::")


# -- classes of the application's own --------------------------------------------------------------


@pytest.mark.parametrize("way", ["argument", "class attribute", "unbound constructor"])
def test_the_handler_class_may_be_the_application_s(way):
    seen = Recorder()

    class Handler(SocketIOHandler):
        def handle_one_response(self):
            seen(self.environ["PATH_INFO"])
            return super().handle_one_response()

    if way == "argument":
        server = listen_nowhere(page, handler_class=Handler)
    elif way == "class attribute":
        server = listen_nowhere(page, type("Own", (SocketIOServer,), {"handler_class": Handler}))
    else:

        class Own(SocketIOServer):
            def __init__(self, port, app):
                SocketIOServer.__init__(
                    self, ("127.0.0.1", port), app, resource="socket.io", policy_server=False
                )

        Own.handler_class = Handler
        server = Own(0, page)
        server.log.write = lambda _text: None
    with running(server):
        fetch(server, "GET", "/page")
        handshake(server)
        assert seen.seen == ["/page", "/socket.io/1/"]


def test_the_websocket_handler_class_may_be_gevent_websocket_s_own():
    upgraded = Recorder()

    class Handler(ForeignHandler):
        def upgrade_connection(self):
            upgraded(self.environ["PATH_INFO"])
            return super().upgrade_connection()

    class Chat(BaseNamespace):
        def on_echo(self, text):
            return text

    with online({"": Chat}, ws_handler_class=Handler) as client:
        client.send(event("echo", "hello", msgid="1+"))
        assert client.recv() == '6:::1+["hello"]'
        assert upgraded.seen == [f"/socket.io/1/websocket/{client.sessid}"]


def test_the_log_file_is_written_and_closed_on_stop(tmp_path):
    path = tmp_path / "access.log"
    server = SocketIOServer(("127.0.0.1", 0), page, log_file=str(path))
    with running(server):
        fetch(server, "GET", "/page")
        fetch(server, "GET", "/socket.io/1/")
    lines = path.read_text().splitlines()
    assert ["GET /page" in lines[0], "GET /socket.io/1/" in lines[1]] == [True, True]


# -- the Flash policy server -----------------------------------------------------------------------


class PolicyServers:
    """Stands for the class of policy servers; notes their addresses, lets them listen elsewhere."""

    def __init__(self):
        self.asked, self.made = [], []

    def __call__(self, listener):
        self.asked.append(listener)
        self.made.append(FlashPolicyServer(("127.0.0.1", 0)))
        return self.made[-1]


@pytest.fixture
def policy_servers(monkeypatch):
    servers = PolicyServers()
    monkeypatch.setattr(socketio.connections, "FlashPolicyServer", servers)
    return servers


def test_there_is_no_policy_server_unless_it_is_asked_for(policy_servers):
    with serving(page):
        assert policy_servers.asked == []


@pytest.mark.parametrize(
    ("listener", "asked"), [(None, ("127.0.0.1", 10843)), (("0.0.0.0", 843), ("0.0.0.0", 843))]
)
def test_the_policy_server_runs_as_long_as_the_server(policy_servers, listener, asked):
    with serving(page, policy_server=True, policy_listener=listener) as server:
        assert server.policy_server is True
        assert policy_servers.asked == [asked]
        (policy,) = policy_servers.made
        assert policy.started
    assert policy.closed


def test_the_policy_is_served_on_the_listener_given():
    listener = gsocket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(5)
    port = listener.getsockname()[1]
    with serving(page, policy_server=True, policy_listener=listener):
        sock = gsocket.create_connection(("127.0.0.1", port))
        sock.sendall(b"<policy-file-request/>\0")
        assert b"<cross-domain-policy>" in sock.recv(1000)
        sock.close()


# -- starting and stopping -------------------------------------------------------------------------


def test_start_accepting_may_be_overridden_and_is_called_once():
    started = Recorder()

    class Own(SocketIOServer):
        def start_accepting(self):
            started("before")
            super().start_accepting()

    with running(listen_nowhere(page, Own)) as server:
        assert fetch(server, "GET", "/").status == 200
    assert started.seen == ["before"]


def test_handle_may_be_overridden_and_gets_every_connection():
    connections = Recorder()

    class Own(SocketIOServer):
        def handle(self, sock, address):
            connections(address[0])
            super().handle(sock, address)

    with running(listen_nowhere(page, Own)) as server:
        fetch(server, "GET", "/")
        fetch(server, "GET", "/")
    assert connections.seen == ["127.0.0.1"] * 2


def test_serve_forever_serves_until_stopped():
    server = listen_nowhere(page)
    job = gevent.spawn(server.serve_forever)
    wait_for(lambda: server.started)
    assert fetch(server, "GET", "/").status == 200
    server.stop()
    job.get(timeout=5)


def test_serve_forever_may_follow_start():
    server = listen_nowhere(page)
    server.start()
    port = server.socket.getsockname()[1]
    assert port == server.server_port != 0
    job = gevent.spawn(server.serve_forever)
    assert fetch(server, "GET", "/").status == 200
    server.stop()
    job.get(timeout=5)


@every
def test_stopping_ends_every_session_and_tells_the_namespaces(transport):
    told = Recorder()

    class Chat(BaseNamespace):
        def recv_disconnect(self):
            told(self.ns_name)

    server = listen_nowhere(make_app({"/a": Chat, "/b": Chat}))
    server.start()
    client = ALL_CLIENTS[transport](server).open()
    client.send("1::/a", "1::/b")
    socket = server.sockets[client.sessid]
    wait_for(lambda: len(socket.active_ns) == 2)
    client.close()
    server.stop(timeout=2)
    assert sorted(told.seen) == ["/a", "/b"]
    assert server.sockets == {}
    assert socket.state == "DISCONNECTED"
    server.stop()


def test_stopping_lets_the_clients_come_back():
    with serving({"/a": BaseNamespace}) as server:
        client = WebSocketClient(server).open()
        job = gevent.spawn(server.stop, 2)
        with pytest.raises(EOFError, match=r"\\x03\\xe9"):  # 1001, and no 0::
            client.recv()
        client.close()
        job.get(timeout=5)


@pytest.mark.parametrize(("goodbye", "said"), [(False, "8::"), (True, "0::")])
def test_stopping_ends_a_held_poll(goodbye, said):
    with serving({"/a": BaseNamespace}) as server:
        client = PollingClient(server).open()
        socket = server.sockets[client.sessid]
        poll = client.start_poll()
        wait_for(lambda: socket.transport)
        job = gevent.spawn(server.stop, 2, goodbye=goodbye)
        assert poll.read_answer().text == said
        client.close()
        job.get(timeout=5)
        assert socket.disconnect_reason == "server_stopping"


def test_stopping_for_good_tells_the_clients_to_stay_away():
    with serving({"/a": BaseNamespace}) as server:
        client = WebSocketClient(server).open()
        job = gevent.spawn(server.stop, 2, goodbye=True)
        assert client.recv() == "0::"
        client.close()
        job.get(timeout=5)


def test_a_server_that_was_stopped_may_be_started_again():
    server = listen_nowhere(make_app({"": BaseNamespace}))
    for number in range(3):
        with running(server), client_of(server) as client:
            client.send(f"3:{number}::x")
            assert client.recv() == f"6:::{number}"
        assert server.sockets == {}


# -- loggers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "socketio",
        "socketio.virtsocket",
        "socketio.namespace",
        "socketio.server",
        "socketio.handler",
    ],
)
def test_the_loggers_have_their_names_and_nothing_is_done_to_them(name):
    logger = logging.getLogger(name)
    assert logger.handlers == []
    assert logger.level == logging.NOTSET
    assert logger.propagate


@pytest.mark.parametrize("module", ["virtsocket", "namespace", "server", "handler"])
def test_each_module_logs_under_its_own_name(module):
    imported = __import__(f"socketio.{module}", fromlist=["log"])
    assert imported.log is logging.getLogger(f"socketio.{module}")


def test_what_old_applications_import_from_the_module_is_there():
    from socketio.server import SocketIOHandler as imported

    assert imported is SocketIOHandler
