"""Defects of the original, by their numbers in the design: none of them may come back."""

import gc
import inspect
import io
import json
import logging
import random
import re
import weakref

import gevent
import pytest
from gevent.event import Event

from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.testing import ManualClock
from socketio.virtsocket import Socket
from tests.client import (
    CLIENTS,
    Connection,
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
from tests.compat.standins import (
    StandInServer,
    client_of,
    connected_socket,
    listen_nowhere,
    online,
    put_in,
    queued,
    session,
)
from tests.streams import EVERY

every = pytest.mark.parametrize("transport", EVERY)


class Chat(BaseNamespace, RoomsMixin, BroadcastMixin):
    """Has a handler for everything that went wrong."""

    on_attribute = "no method"

    def on_echo(self, *args):
        return args

    def on_two(self, a, b):
        return a + b

    def on_raise(self):
        raise ValueError("the password is swordfish")

    def on_unserialisable(self):
        return object()


def assert_alive(on):
    assert on.tell(event("echo", 1, msgid="99+")) == ["6:::99+[1]"]


# -- packets that end a session --------------------------------------------------------------------

UNDECODABLE = ["x", "9:::", "6:::", "5:::[1]", "5:::" + "[" * 20_000, "", ":", "::", "05:::{}"]
MALFORMED = ["5:::{bad", '5:::{"name":5}', '5:::{"name":"echo","args":5}', "5:::null", " 5:::{}"]


@pytest.mark.parametrize("text", [*UNDECODABLE, *MALFORMED], ids=lambda text: text[:20])
def test_d02_d03_a_bad_packet_is_refused_and_the_next_one_is_handled(text):
    with session({"": Chat}) as on:
        on.tell(text)
        assert_alive(on)


@pytest.mark.parametrize("name", ["raise", "two", "attribute", "unserialisable", "missing"])
def test_d04_a_handler_that_fails_ends_nothing(name):
    with session({"": Chat}) as on:
        on.tell(event(name, msgid="1+"))
        assert_alive(on)


@every
def test_d05_no_session_lives_on_deaf(transport):
    told = Recorder()

    class Told(Chat):
        def recv_disconnect(self):
            told(self.ns_name)

    clock = ManualClock()
    with online({"": Told}, transport, clock=clock) as client:
        client.send(*MALFORMED, event("raise"), event("two"), event("unserialisable"))
        client.send(event("echo", 1, msgid="9+"))
        while client.recv() != "6:::9+[1]":
            pass
        assert client.socket.server_queue.qsize() == 0
        client.close()
        clock.advance(client.server.config["close_timeout"] + 1)
        wait_for(lambda: client.socket.state == "DISCONNECTED")
        assert told.seen == [""]


@pytest.mark.parametrize("name", ["raise", "unserialisable"])
def test_d45_the_client_is_told_no_detail_of_a_failure(name, caplog):
    with session({"": Chat}) as on:
        said = "".join(on.tell(event(name, msgid="1+")))
    assert "internal_error" in said
    for detail in ("swordfish", "ValueError", "Traceback", "object at", ".py"):
        assert detail not in said
    assert "Traceback" in caplog.text


def test_d44_nothing_is_printed(capsys):
    with session({"": Chat}) as on:
        on.tell(*UNDECODABLE, *MALFORMED, event("raise"), "6:::99", "1::/nope", event("a\nb"))
    assert capsys.readouterr() == ("", "")


def test_d44_what_a_client_sends_makes_one_line_of_the_log(caplog):
    with caplog.at_level(logging.DEBUG), session({"": Chat}) as on:
        on.tell("9\nforged line:::", "1::/no\npe", event("two", "a\nb"), "6:::99")
    assert caplog.records
    assert all("\n" not in record.getMessage() for record in caplog.records)


# -- payloads --------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["\ufffd-4\ufffd", "", "\ufffd", "\ufffdx\ufffd3:::a"])
def test_d01_a_malformed_payload_is_refused_whole_and_the_session_lives(body):
    with online({"": Chat}, "xhr-polling") as client:
        url = f"/socket.io/1/xhr-polling/{client.sessid}"
        assert fetch(client.server, "POST", url, body.encode()).status == 400
        good = event("echo", 1, msgid="1+")
        broken = f"\ufffd{len(good)}\ufffd{good}\ufffd-4\ufffd"
        assert fetch(client.server, "POST", url, broken.encode()).status == 400
        client.send(event("echo", 2, msgid="2+"))
        assert client.recv() == "6:::2+[2]"


def test_d22_a_body_over_the_limit_is_refused():
    with online({"": Chat}, "xhr-polling", max_body_size=100) as client:
        url = f"/socket.io/1/xhr-polling/{client.sessid}"
        assert fetch(client.server, "POST", url, b"3:::" + b"x" * 96).status == 200
        assert fetch(client.server, "POST", url, b"3:::" + b"x" * 97).status == 413


@every
def test_d23_a_newline_in_a_message_is_data(transport):
    class Lines(BaseNamespace):
        def recv_message(self, data):
            self.send(data)

    with online({"": Lines}, transport) as client:
        client.send("3:::a\nb\r\nc\n")
        assert client.recv() == "3:::a\nb\r\nc\n"


@every
def test_d51_lengths_count_utf_16_units_so_that_nothing_behind_an_emoji_is_lost(transport):
    class Emoji(BaseNamespace):
        def recv_message(self, data):
            self.send(data)

    with online({"": Emoji}, transport) as client:
        client.send("3:::😀😀", "3:::behind", "3:::é")
        assert [client.recv() for _ in range(3)] == ["3:::😀😀", "3:::behind", "3:::é"]


# -- sessions --------------------------------------------------------------------------------------


def test_d06_a_handshake_nobody_continues_is_forgotten():
    clock = ManualClock()
    with serving({"": Chat}, clock=clock) as server:
        for _ in range(3):
            handshake(server)
        clock.advance(server.config["handshake_timeout"] - 1)
        assert len(server.sockets) == 3
        clock.advance(2)
        wait_for(lambda: server.sockets == {})


def test_d06_there_is_a_limit_to_handshakes():
    with serving({"": Chat}, max_handshakes=2) as server:
        sessid = handshake(server)
        handshake(server)
        refused = fetch(server, "GET", "/socket.io/1/")
        assert (refused.status, "retry-after" in refused.headers) == (503, True)
        client = PollingClient(server, sessid).open()
        assert len(handshake(server)) > 20
        client.close()


def test_d07_nothing_is_queued_for_a_client_that_has_not_come():
    with serving({"/chat": Chat}) as server, client_of(server) as client:
        ghost = server.sockets[handshake(server)]
        client.send("1::/chat")
        client.recv()
        ns = server.sockets[client.sessid]["/chat"]
        ns.broadcast_event("x")
        server.emit("y")
        assert client.recv().endswith('"name":"x"}') or client.recv()
        assert ghost.client_queue.qsize() == 0


def test_d08_a_broadcast_reaches_nobody_outside_the_namespace():
    with (
        serving({"/acl": Chat, "/chat": Chat}) as server,
        client_of(server) as inside,
        client_of(server) as outside,
    ):
        for client, name in ((inside, "/acl"), (outside, "/chat")):
            client.send(f"1::{name}")
            assert client.recv() == f"1::{name}"
        server.sockets[inside.sessid]["/acl"].broadcast_event("x", "TOPSECRET")
        assert "TOPSECRET" in inside.recv()
        outside.send("3:1:/chat:x")
        assert outside.recv() == "6::/chat:1"


def test_d09_rooms_of_two_namespaces_never_mix():
    server = StandInServer()
    one, two = (put_in(connected_socket(server), Chat, name) for name in ("/a", "/a_b"))
    one.join("b_c")
    two.join("c")
    one.broadcast_to_room("b_c", "x")
    assert [len(queued(ns.socket)) for ns in (one, two)] == [1, 0]


def test_d10_no_handler_runs_before_recv_connect_and_none_after_its_refusal():
    ran = Recorder()

    class Guarded(BaseNamespace):
        def recv_connect(self):
            ran("connect")
            self.disconnect()

        def on_secret(self):
            ran("secret")

        def recv_message(self, data):
            ran("message")

    with session({"/acl": Guarded, "/open": Chat}) as on:
        on.tell("1::/open")
        assert on.tell(event("secret", endpoint="/acl")) == ["0::/acl"]
        assert on.tell("3::/acl:x") == ["0::/acl"]
        assert on.tell("1::/acl") == ["1::/acl", "0::/acl"]
    assert ran.seen == ["connect"] * 3


def test_d11_session_ids_cannot_be_guessed():
    ids = []
    for _ in range(2):
        random.seed(1)
        server = StandInServer()
        ids += [Socket(server, {}).sessid for _ in range(200)]
    assert len(set(ids)) == 400
    assert all(re.fullmatch("[0-9]{37,}", sessid) for sessid in ids)  # 120 bits and more
    digits = [sum(sessid.count(digit) for sessid in ids) for digit in "0123456789"]
    expected = sum(digits) / 10
    chi_square = sum((count - expected) ** 2 / expected for count in digits)
    assert chi_square < 60  # 9 degrees of freedom: once in ten thousand million runs


@every
def test_d12_the_session_id_is_a_secret_that_is_not_logged(transport, caplog):
    with caplog.at_level(logging.DEBUG, logger="socketio"):
        with online({"": Chat}, transport) as client:
            client.send("x", event("raise"), event("two"), "1::/nope")
            client.send(event("echo", msgid="1+"))
            while client.recv() != "6:::1":
                pass
            client.socket.kill()
        wait_for(lambda: client.socket.state == "DISCONNECTED")
    assert caplog.records
    assert client.sessid not in caplog.text


def test_d46_a_session_keeps_nothing_of_the_request_s_connection():
    with online({"": Chat}, "xhr-polling") as client:
        environ = client.socket.environ
        assert type(environ["wsgi.input"]) is io.BytesIO
        assert environ["wsgi.input"].read() == b""
        assert all(isinstance(value, str) for value in client.socket.handshake_environ.values())


def test_d48_in_works_and_namespaces_are_found():
    with session({"/chat": Chat}) as on:
        on.tell("1::/chat")
        assert "/chat" in on.socket
        assert "/news" not in on.socket


# -- acks ------------------------------------------------------------------------------------------


def test_d30_a_plus_in_the_arguments_of_an_ack_is_data():
    answers = Recorder()

    class Asking(BaseNamespace):
        def on_ask(self):
            self.emit("question", callback=answers)

    with session({"": Asking}) as on:
        on.tell(event("ask"), '6:::1+["a+b+","+"]')
    assert answers.seen == [("a+b+", "+")]


@pytest.mark.parametrize("msgid", ["0", "7", "12345678901234567890"])
def test_d31_every_id_is_acknowledged(msgid):
    with session({"": Chat}) as on:
        assert on.tell(event("echo", msgid=f"{msgid}+")) == [f"6:::{msgid}"]
        assert on.tell(event("echo", msgid=msgid)) == [f"6:::{msgid}"]


@pytest.mark.parametrize("msgid", ["-1", "1" * 5000, "1+2", "x"])
def test_d31_what_is_no_id_is_not_echoed(msgid):
    with session({"": Chat}) as on:
        said = on.tell(f'5:{msgid}+::{{"name":"echo"}}')
        assert not any(text.startswith("6:") for text in said)
        assert_alive(on)


def test_d32_only_the_namespace_that_asked_is_answered_and_only_once():
    answers = Recorder()

    class Asking(BaseNamespace):
        def on_ask(self):
            self.emit("question", callback=answers)

    with session({"/a": Asking, "/b": Asking}) as on:
        on.tell("1::/a", "1::/b", event("ask", endpoint="/a"))
        on.tell("6::/b:1+[1]")
        assert answers.seen == []
        on.tell("6::/a:1+[2]", "6::/a:1+[3]")
        assert answers.seen == [2]


@pytest.mark.parametrize("args", ["5", '"text"', '{"a":1}'])
def test_d32_arguments_of_an_ack_that_are_no_list_end_nothing(args):
    answers = Recorder()

    class Asking(Chat):
        def on_ask(self):
            self.emit("question", callback=answers)

    with session({"": Asking}) as on:
        on.tell(event("ask"), f"6:::1+{args}")
        assert answers.seen == [json.loads(args)]
        assert_alive(on)


def test_d32_a_callback_that_raises_or_takes_other_arguments_ends_nothing():
    class Asking(Chat):
        def on_ask(self):
            self.emit("question", callback=lambda: 1 / 0)

    with session({"": Asking}) as on:
        on.tell(event("ask"), event("ask"), "6:::1+[1,2,3]", "6:::2")
        assert_alive(on)


def test_d32_acks_nobody_gives_do_not_pile_up():
    with online({"": Chat}, max_pending_acks=5) as client:
        client.send("3:1::x")
        client.recv()
        for _ in range(20):
            client.socket[""].emit("question", callback=print)
        assert len(client.socket.ack_callbacks) == 5


# -- events ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_d33_what_is_no_json_number_is_refused_on_the_way_in(number):
    with session({"": Chat}) as on:
        (answer,) = on.tell(f'5:::{{"name":"echo","args":[{number}]}}')
        assert "invalid_packet" in answer
        assert_alive(on)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_d33_what_is_no_json_number_is_refused_on_the_way_out(number):
    with session({"": Chat}) as on:
        assert_alive(on)
        with pytest.raises(ValueError):
            on.socket[""].emit("x", number)
        with pytest.raises(ValueError):
            on.socket[""].broadcast_event("x", number)
        assert queued(on.socket) == []


@pytest.mark.parametrize("args", ['"abc"', '{"a":1,"b":2}', "5", "true"])
def test_d34_args_that_are_no_list_are_never_spread(args):
    called = Recorder()

    class Spread(BaseNamespace):
        def on_x(self, *args):
            called(args)

    with session({"": Spread}) as on:
        (answer,) = on.tell(f'5:::{{"name":"x","args":{args}}}')
        assert "invalid_packet" in answer
    assert called.seen == []


def test_d35_a_name_that_ends_in_a_newline_is_refused():
    with session({"": Chat}) as on:
        (answer,) = on.tell(event("echo\n"))
        assert "unallowed_event_name" in answer


@pytest.mark.parametrize("name", ["attribute", "Echo", "__class__", "connect", "echo__call__"])
def test_d36_only_methods_of_that_very_name_are_called(name):
    with session({"": Chat}) as on:
        (answer,) = on.tell(event(name))
        assert "no_such_method" in answer or "unallowed_event_name" in answer


def test_d36_an_endpoint_can_be_left_whatever_the_acl_says():
    class Closed(BaseNamespace):
        def get_initial_acl(self):
            return []

    with session({"/acl": Closed, "/open": Chat}) as on:
        on.tell("1::/open", "1::/acl", "0::/acl")
        assert list(on.socket.active_ns) == ["/open"]


def test_d37_a_signature_is_looked_at_once_not_for_every_event(monkeypatch):
    looks = Recorder()
    signature = inspect.signature

    class Fresh(BaseNamespace):
        def on_x(self, a):
            return a

    monkeypatch.setattr(
        inspect, "signature", lambda *args, **kwargs: looks(1) or signature(*args, **kwargs)
    )
    with session({"": Fresh}) as on:
        on.tell(*[event("x", number) for number in range(20)])
    assert len(looks.seen) <= 1


# -- the end ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["kill", "disconnect"])
def test_d38_clean_up_is_not_cut_off_when_a_handler_ends_its_own_session(end):
    record = Recorder()

    class Ending(BaseNamespace):
        def on_end(self):
            getattr(self.socket, end)()
            record("after")

        def recv_disconnect(self):
            gevent.sleep(0)
            record("cleaned up")

    with online({"/a": Ending, "/b": Ending}) as client:
        client.send("1::/a", "1::/b", event("end", endpoint="/a"))
        wait_for(lambda: client.socket.state == "DISCONNECTED")
        assert record.seen == ["cleaned up", "cleaned up", "after"]
        assert client.sessid not in client.server.sockets


def test_d38_a_recv_disconnect_that_forgets_the_base_class_leaks_nothing():
    class Forgetful(BaseNamespace):
        def recv_disconnect(self):
            pass

    with online({"": Forgetful, "/a": Forgetful}) as client:
        client.send("3:1::x", "1::/a")
        wait_for(lambda: len(client.socket.active_ns) == 2)
        gone = weakref.ref(client.socket["/a"])
        client.close()
        wait_for(lambda: client.socket.state == "DISCONNECTED")
        assert client.socket.active_ns == {}
        assert client.sessid not in client.server.sockets
        gc.collect()
        assert gone() is None


def test_d28_a_lost_websocket_is_a_disconnect_at_once():
    told = Recorder()

    class Told(BaseNamespace):
        def recv_disconnect(self):
            told(self.ns_name)

    clock = ManualClock()  # no time passes
    with online({"/a": Told}, clock=clock) as client:
        client.send("1::/a")
        client.recv()
        client.close()
        wait_for(lambda: told.seen)
        assert told.seen == ["/a"]


def test_d40_nothing_of_a_session_survives_the_stop_of_the_server():
    server = listen_nowhere(make_app({"": Chat}))
    server.start()
    clients = [CLIENTS[name](server).open() for name in ("websocket", "xhr-polling")]
    sockets = list(server.sockets.values())
    for client in clients:
        client.send("3:1::x")
        client.recv()
    jobs = [socket.spawn(gevent.sleep, 3600) for socket in sockets]
    greenlets = jobs + [socket.wsgi_app_greenlet for socket in sockets]
    for client in clients:
        client.close()
    server.stop(timeout=2)
    assert server.sockets == {}
    wait_for(lambda: all(greenlet.dead for greenlet in greenlets))
    assert all(socket.jobs == [] for socket in sockets)


# -- queues ----------------------------------------------------------------------------------------


def test_d24_a_client_that_takes_nothing_is_dropped():
    told = Recorder()

    class Told(Chat):
        def recv_disconnect(self):
            told(self.socket.disconnect_reason)

    with online({"": Told}, "xhr-polling", max_outbound_packets=50) as client:
        client.send("3:1::x")
        client.recv()
        ns = client.socket[""]
        for number in range(60):
            ns.emit("x", number)
        wait_for(lambda: client.socket.state == "DISCONNECTED")
        assert told.seen == ["slow_peer"]
        assert client.socket.client_queue.qsize() == 0


def test_d24_a_client_that_sends_too_much_has_to_wait():
    class Slow(BaseNamespace):
        def recv_message(self, data):
            gate.wait()

    gate = Event()
    with online({"": Slow}, max_inbound_packets=5) as client:
        client.send(*["3:::x"] * 50, "3:1::last")
        wait_for(lambda: client.socket.server_queue.qsize() >= 5)
        gevent.sleep(0)
        assert client.socket.server_queue.qsize() == 5
        gate.set()
        assert client.recv() == "6:::1"


def test_d25_what_a_vanished_poll_would_have_got_comes_with_the_next():
    with online({"": Chat}, "xhr-polling") as client:
        client.start_poll()
        wait_for(lambda: client.socket.transport)
        client._poll.close()
        gevent.sleep(0)
        client.socket.send_packet({"type": "message", "data": "IMPORTANT"})
        wait_for(lambda: not client.socket.transport)
        again = PollingClient(client.server, client.sessid)
        assert again.recv() == "3:::IMPORTANT"
        again.close()


def test_d26_of_two_polls_at_once_the_newer_gets_everything_in_order():
    with online({"": Chat}, "xhr-polling") as client:
        first = client.start_poll()
        wait_for(lambda: client.socket.transport)
        second = PollingClient(client.server, client.sessid)
        second.start_poll()
        assert first.read_answer().text == "8::"
        for number in range(3):
            client.socket.send_packet({"type": "message", "data": str(number)})
        answer = second._poll.read_answer().text
        assert [answer.index(f"3:::{number}") for number in range(3)] == sorted(
            answer.index(f"3:::{number}") for number in range(3)
        )
        second.close()


def test_d27_a_second_websocket_takes_over_whole():
    with online({"": Chat}) as client:
        second = WebSocketClient(client.server, client.sessid)
        assert second.response.status_code == 101
        for number in range(6):
            client.socket.send_packet({"type": "message", "data": str(number)})
        assert [second.recv() for _ in range(6)] == [f"3:::{number}" for number in range(6)]
        with pytest.raises(EOFError):
            client.recv()
        second.close()


@every
def test_d29_a_lone_surrogate_does_not_stop_the_writer(transport):
    with online({"": Chat}, transport) as client:
        client.send("3:1::x")
        client.recv()
        client.socket[""].send("a\ud83db")
        client.socket[""].emit("x", "\ud83d")
        # A script can express it, UTF-8 cannot.
        arrived = chr(0xD83D) if transport in ("htmlfile", "jsonp-polling") else chr(0xFFFD)
        assert client.recv() == f"3:::a{arrived}b"
        assert client.recv() == '5:::{"args":["\\ud83d"],"name":"x"}'


def test_d49_a_broadcast_is_encoded_once():
    encoded = Recorder()

    def dumps(data):
        encoded(data)
        return json.dumps(data)

    server = StandInServer()
    spaces = [put_in(connected_socket(server), Chat, "/chat") for _ in range(10)]
    for ns in spaces:
        ns.socket._set_json_dumps(dumps)
    spaces[0].broadcast_event("x")
    assert len(encoded.seen) == 1


# -- HTTP ------------------------------------------------------------------------------------------

FOREIGN = "http://evil.example"


def page(_environ, start_response):
    start_response("200 OK", [])
    return [b"page"]


def test_d13_a_foreign_origin_gets_no_handshake_and_no_access():
    with serving({"": Chat}) as server:
        answer = fetch(server, "GET", "/socket.io/1/", Origin=FOREIGN)
        assert answer.status == 403
        assert "access-control-allow-origin" not in answer.headers
        sessid = handshake(server)
        answer = fetch(server, "GET", f"/socket.io/1/xhr-polling/{sessid}", Origin=FOREIGN)
        assert answer.status == 403
        assert "access-control-allow-origin" not in answer.headers
        own = f"http://127.0.0.1:{server.server_port}"
        answer = fetch(server, "GET", "/socket.io/1/", Origin=own)
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == own


def test_d14_a_foreign_origin_gets_no_websocket():
    with serving({"": Chat}) as server:
        sessid = handshake(server)
        client = WebSocketClient(server, sessid, Origin=FOREIGN)
        assert client.response.status_code == 403
        client.close()
        assert server.sockets[sessid].state == "NEW"


@pytest.mark.parametrize("value", ["alert(1)", "0);alert(1", "", "1 ", "%0a1", "-1", "１"])
def test_d16_nothing_but_a_number_is_echoed_into_a_script(value):
    with serving({"": Chat}) as server:
        path = "/socket.io/1/?jsonp=" + "".join(
            c if c.isascii() and c.isprintable() and c != " " else f"%{b:02x}"
            for c in value
            for b in c.encode()
        )
        answer = fetch(server, "GET", path)
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.text.split(":")[0].isdigit()


def test_d16_a_script_is_sent_as_a_script_and_nothing_else():
    with serving({"": Chat}) as server:
        answer = fetch(server, "GET", "/socket.io/1/?jsonp=3")
        assert re.fullmatch(r'io\.j\[3\]\("[0-9]+:60:60:[a-z,-]+"\);', answer.text)
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/socket.io/1/", "/socket.io/1//{}/?disconnect", "/page"])
def test_d17_a_body_nobody_reads_is_not_taken_for_the_next_request(path):
    smuggled = Recorder()

    def app(environ, start_response):
        if environ["PATH_INFO"] == "/admin-only":
            smuggled("served")
        start_response("200 OK", [("Content-Length", "4")])
        return [b"page"]

    with serving(app) as server:
        connection = Connection(server)
        body = b"GET /admin-only HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        connection.start("GET", path.format(handshake(server)), body)
        assert connection.read_answer().status == 200
        connection.send_raw(b"GET /after HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        connection.read_to_end()
        connection.close()
    assert smuggled.seen == []


@pytest.mark.parametrize(
    ("method", "transport", "status"),
    [
        ("GET", "carrier-pigeon", 400),
        ("OPTIONS", "xhr-polling", 200),
        ("PUT", "xhr-polling", 405),
        ("DELETE", "xhr-polling", 405),
        ("GET", "websocket", 400),
        ("POST", "websocket", 400),
    ],
)
def test_d18_an_odd_request_is_answered_and_leaves_the_session_alone(method, transport, status):
    with serving({"": Chat}) as server:
        sessid = handshake(server)
        assert fetch(server, method, f"/socket.io/1/{transport}/{sessid}").status == status
        client = PollingClient(server, sessid).open()
        client.close()


def test_d19_an_unknown_session_is_answered():
    with serving({"": Chat}) as server:
        unknown = "1" * 40
        answer = fetch(server, "GET", f"/socket.io/1/xhr-polling/{unknown}")
        assert (answer.status, bool(answer.body)) == (400, True)
        assert fetch(server, "POST", f"/socket.io/1/xhr-polling/{unknown}", b"3:::x").status == 400
        answer = fetch(server, "GET", f"/socket.io/1/xhr-polling/{unknown}?disconnect")
        assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("path", ["/socket.io/foo/1/", "/other/1/"])
def test_d20_another_resource_is_the_application_s(path):
    with serving(page) as server:
        assert fetch(server, "GET", path).text == "page"


def test_d21_the_resource_is_compared_for_every_kind_of_url():
    with serving(page) as server:
        sessid = handshake(server)
        for path in (
            f"/socket.io/any/thing/1/xhr-polling/{sessid}",
            f"/any/socket.io/1/xhr-polling/{sessid}",
            f"/any/1//{sessid}/?disconnect=1",
        ):
            assert fetch(server, "GET", path).text == "page"
        assert server.sockets[sessid].state == "NEW"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_d39_another_site_cannot_end_a_session_with_an_image(site):
    with online({"": Chat}) as client:
        url = f"/socket.io/1/xhr-polling/{client.sessid}?disconnect"
        assert fetch(client.server, "GET", url, Sec_Fetch_Site=site).status == 403
        assert fetch(client.server, "GET", url, Referer=f"{FOREIGN}/page").status == 403
        assert client.socket.connected


@pytest.mark.parametrize("query", ["?disconnect", "?disconnect=1", "?t=1&disconnect=1"])
@pytest.mark.parametrize("transport", ["", "xhr-polling"])
def test_d39_the_disconnect_url_ends_a_session_wherever_the_key_stands(query, transport):
    with online({"": Chat}, "xhr-polling") as client:
        url = f"/socket.io/1/{transport}/{client.sessid}/{query}"
        assert fetch(client.server, "GET", url).status == 200
        wait_for(lambda: client.socket.state == "DISCONNECTED")
        assert client.socket.disconnect_reason == "peer_left"


def test_d43_the_policy_server_is_off_by_default():
    with serving({"": Chat}) as server:
        assert server.policy_server is False
        assert server._policy is None


def test_d47_half_a_request_is_not_waited_for_for_ever():
    with serving({"": Chat}, header_timeout=0.05, body_timeout=0.05) as server:
        connection = Connection(server)
        connection.send_raw(b"GET /socket.io/1/ HTTP/1.1\r\nHost: x")
        assert b" 408 " in connection.read_to_end()
        connection.close()
        client = PollingClient(server).open()
        connection = Connection(server)
        connection.send_raw(
            f"POST {client.url} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n"
            "3:::".encode()
        )
        assert b" 408 " in connection.read_to_end()
        connection.close()
        client.send("3:1::x")
        assert client.recv() == "6:::1"
        client.close()


def test_d48_the_log_file_is_closed(tmp_path):
    server = listen_nowhere(page, log_file=str(tmp_path / "access.log"))
    server.start()
    fetch(server, "GET", "/")
    log_file = server._log_file
    server.stop()
    assert log_file.stream is None
