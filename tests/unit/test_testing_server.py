"""The server of a test: who comes in, its clock, and its end."""

import gc
import logging
import weakref

import gevent
import pytest
from gevent.event import Event as GeventEvent

from socketio import socketio_manage
from socketio.errors import ConfigError, UnauthorizedError
from socketio.mixins import RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.testing import LeftBehind, Refused, TestServer
from socketio.virtsocket import Socket


class Chat(BaseNamespace, RoomsMixin):
    def on_join(self, room):
        self.join(room)

    def on_leak(self):
        gevent.spawn(gevent.sleep, 1000)

    def on_divide_later(self, number):
        self.spawn(self.divide, number)

    def divide(self, number):
        return 1 / number


@pytest.fixture
def server():
    with TestServer({"/chat": Chat}) as running:
        yield running


# -- coming in -------------------------------------------------------------------------------------


def test_the_view_gets_the_request_of_the_client():
    seen = {}

    def app(environ, start_response):
        seen.update(environ)
        socketio_manage(environ, {"": BaseNamespace}, request="the request")
        return []

    with TestServer(app, resource="live") as server:
        client = server.connect(
            headers={"User-Agent": "a test", "Host": "chat.example"},
            cookies={"a": "1", "b": "2"},
            query={"token": "x y", "n": [1, 2]},
            environ={"REMOTE_ADDR": "192.0.2.1", "wsgi.url_scheme": "https"},
        )
        assert client.socket.request == "the request"
        assert client.socket.transport == "websocket"
    assert seen["HTTP_USER_AGENT"] == "a test"
    assert seen["HTTP_HOST"] == "chat.example"
    assert seen["HTTP_COOKIE"] == "a=1; b=2"
    assert seen["QUERY_STRING"] == "token=x+y&n=1&n=2"
    assert seen["REMOTE_ADDR"] == "192.0.2.1"
    assert seen["wsgi.url_scheme"] == "https"
    assert seen["PATH_INFO"] == f"/live/1/websocket/{client.socket.sessid}"
    assert seen["socketio"] is client.socket


def test_the_headers_of_a_trusted_proxy_count():
    with TestServer({}, trusted_proxies="127.0.0.1") as server:
        client = server.connect(headers={"X-Forwarded-For": "192.0.2.7"})
        assert client.socket.environ["REMOTE_ADDR"] == "192.0.2.7"


def test_texts_serve_as_cookies_and_query(server):
    client = server.connect("/chat", cookies="a=1", query="x=2")
    assert client.socket.environ["HTTP_COOKIE"] == "a=1"
    assert client.socket.environ["QUERY_STRING"] == "x=2"


def test_authorize_decides_and_fills_the_session():
    def authorize(environ):
        if environ["QUERY_STRING"] != "token=good":
            raise UnauthorizedError("no")
        return {"user": "Ada"}

    with TestServer({"/chat": Chat}, authorize=authorize) as server:
        assert server.connect("/chat", query="token=good").session["user"] == "Ada"
        with pytest.raises(Refused) as caught:
            server.connect("/chat", query="token=bad")
        assert (caught.value.status, caught.value.reason) == (403, "handshake unauthorized")
        assert str(caught.value) == "refused (the handshake, 403): handshake unauthorized"


def test_an_authorize_that_blocks_is_waited_for():
    def authorize(environ):
        gevent.sleep(0.01)

    with TestServer({}, authorize=authorize) as server:
        assert server.connect().connected


def test_an_authorize_that_never_returns_is_named():
    with (
        TestServer({}, authorize=lambda environ: gevent.sleep(1000), patience=0.05) as server,
        pytest.raises(AssertionError, match=r"authorize\(\) has not returned in 0.05 s"),
    ):
        server.connect()


def test_the_origin_policy_decides(server):
    same = {"Origin": "http://testserver"}
    assert server.connect("/chat", headers=same).connected
    with pytest.raises(Refused, match="handshake bad origin"):
        server.connect("/chat", headers={"Origin": "http://evil.example"})


def test_a_full_server_refuses():
    with TestServer({}, max_sessions=1) as server:
        server.connect()
        with pytest.raises(Refused, match="too many sessions"):
            server.connect()


def test_which_transports_are_offered_makes_no_difference():
    with TestServer({}, transports=["xhr-polling"]) as server:
        assert server.connect().connected


def test_options_are_those_of_the_server():
    with pytest.raises(ConfigError, match="heartbeat_timeout"):
        TestServer({}, heartbeat_timeout=-1)
    with pytest.raises(TypeError, match="did you mean"):
        TestServer({}, heartbeat_timout=1)


def test_a_server_of_the_applications_own_class_is_used():
    class OurSocket(Socket):
        pass

    class OurHandler(SocketIOServer.handler_class):
        seen = []

        def start_application(self, socket):
            raise AssertionError("not for streams")

        def run_session_application(self, socket):
            self.seen.append(socket)
            super().run_session_application(socket)

    class OurServer(SocketIOServer):
        handler_class = OurHandler

        def get_socket(self, sessid=""):
            if sessid:
                return super().get_socket(sessid)
            socket = OurSocket(self, self.config)
            self.sockets[socket.sessid] = socket
            return socket

    with TestServer({}, server_class=OurServer) as server:
        client = server.connect()
        assert isinstance(client.socket, OurSocket)
        assert OurHandler.seen == [client.socket]


def test_several_servers_do_not_know_each_other():
    with TestServer({"/chat": Chat}) as one, TestServer({"/chat": Chat}) as two:
        ada, bob = one.connect("/chat"), two.connect("/chat")
        one.emit("x", namespace="/chat")
        ada.expect("x")
        bob.expect_nothing()
        with one.failing(ZeroDivisionError):
            ada.emit("divide later", 0)
        assert len(one.failures) == 1
        assert two.failures == []


def test_the_server_speaks_to_all_to_a_room_and_to_all_but_one(server):
    ada, bob = server.connect("/chat"), server.connect("/chat")
    bob.emit("join", "attic")
    server.emit("to all", 1, namespace="/chat")
    server.emit("to the room", 2, namespace="/chat", room="attic")
    server.emit("to ada", 3, namespace="/chat", skip=bob)
    assert [event.name for event in ada.received()] == ["to all", "to ada"]
    assert [event.name for event in bob.received()] == ["to all", "to the room"]


# -- the end ---------------------------------------------------------------------------------------


def test_everything_is_given_back_at_the_end():
    ended = []

    class Chatty(Chat):
        def recv_disconnect(self):
            ended.append(self.socket.disconnect_reason)

        def on_tick(self):
            self.spawn(gevent.sleep, 1000)

    with TestServer({"/chat": Chatty}) as server:
        ada = server.connect("/chat")
        bob = server.connect("/chat")
        bob.reading = False
        server.handshake()
        ada.emit("tick")
        alive = server._family.alive()
        assert len(alive) >= 5
    assert ended == ["server_stopping"] * 2
    assert ada.disconnected
    assert not ada.sent_away
    assert not server.sockets
    assert all(job.dead for job in alive)
    server.close()


def test_a_handler_that_is_still_at_work_is_interrupted():
    interrupted = []

    class Endless(BaseNamespace):
        def recv_message(self, data):
            try:
                GeventEvent().wait()
            finally:
                interrupted.append(data)

    with TestServer({"": Endless}) as server:
        server.connect().send("x")
    assert interrupted == ["x"]


def test_a_greenlet_that_outlives_its_session_fails_the_test():
    server = TestServer({"/chat": Chat})
    server.connect("/chat").emit("leak")
    family = server._family
    (job,) = [job for job in family.alive() if "sleep" in family.describe(job)]
    with pytest.raises(LeftBehind, match=r"this goes on: the greenlet of sleep\(\)"):
        server.close()
    assert job.dead


def test_greenlets_may_be_allowed_to_outlive_their_sessions():
    with TestServer({"/chat": Chat}, allow_greenlets=True) as server:
        server.connect("/chat").emit("leak")


def test_a_server_that_nobody_closed_is_collected(caplog):
    server = TestServer({"/chat": Chat})
    family = weakref.ref(server._family)
    known = weakref.ref(server)
    del server
    gc.collect()
    assert known() is None
    assert family() is None


def test_the_log_is_that_of_the_real_server(server, caplog):
    caplog.set_level(logging.INFO)
    server.connect("/chat").disconnect()
    assert "connected over websocket" in caplog.text
    assert "disconnected: peer_left" in caplog.text
