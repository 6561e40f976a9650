"""The interface of ``socketio.transports``, row by row."""

from types import SimpleNamespace

import gevent
import pytest

from socketio.namespace import BaseNamespace
from socketio.transports import (
    BaseTransport,
    FlashSocketTransport,
    HTMLFileTransport,
    JSONPolling,
    WebsocketTransport,
    XHRMultipartTransport,
    XHRPollingTransport,
)
from socketio.virtsocket import Socket
from socketio.wire.payload import encode_payload
from tests.client import fetch, serving, wait_for
from tests.compat.standins import StandInServer, connected_socket, online
from tests.streams import ALL_CLIENTS, EVERY

POLLING = [XHRPollingTransport, JSONPolling, XHRMultipartTransport, HTMLFileTransport]
polling = pytest.mark.parametrize("cls", POLLING)


def made(cls, config=None):
    """Return a transport for a request that does not exist."""
    handler = SimpleNamespace(environ={})
    config = {} if config is None else config
    transport = cls(handler, config)
    assert (transport.handler, transport.config) == (handler, config)
    return transport


@pytest.fixture
def server():
    return StandInServer()


@pytest.fixture
def socket(server):
    return connected_socket(server)


@pytest.mark.parametrize("cls", [BaseTransport, WebsocketTransport, FlashSocketTransport, *POLLING])
def test_a_transport_is_made_of_a_handler_and_a_config(cls):
    made(cls)
    assert issubclass(cls, BaseTransport)


def test_the_base_transport_leaves_the_exchange_to_its_subclasses(socket):
    with pytest.raises(NotImplementedError):
        made(BaseTransport).do_exchange(socket, "GET")


@polling
def test_do_exchange_calls_the_method_of_the_request(cls, socket, monkeypatch):
    called = []
    monkeypatch.setattr(cls, "get", lambda self, *args: called.append(("get", *args)))
    monkeypatch.setattr(cls, "post", lambda self, *args: called.append(("post", *args)))
    monkeypatch.setattr(cls, "options", lambda self, *args: called.append(("options", *args)))
    for method in ("GET", "POST", "OPTIONS"):
        made(cls).do_exchange(socket, method)
    assert [name for name, *_ in called] == ["get", "post", "options"]
    assert [args for _, *args in called[:2]] == [[socket], [socket]]


# -- encode_payload(messages) -> bytes -------------------------------------------------------------


@polling
@pytest.mark.parametrize(
    ("messages", "payload"),
    [
        ([], ""),
        (["3:::a"], "3:::a"),
        (["3:::a", "3:::b"], "\ufffd5\ufffd3:::a\ufffd5\ufffd3:::b"),
        (["3:::é", "3:::☃"], "\ufffd5\ufffd3:::é\ufffd5\ufffd3:::☃"),
        (["3:::😀", "3:::b"], "\ufffd6\ufffd3:::😀\ufffd5\ufffd3:::b"),
    ],
)
def test_a_payload_is_encoded_to_bytes_and_decoded_again(cls, messages, payload):
    encoded = made(cls).encode_payload(messages)
    assert encoded == payload.encode()
    if messages:
        assert made(cls).decode_payload(encoded) == messages
        assert made(cls).decode_payload(payload) == messages


@polling
@pytest.mark.parametrize("payload", [b"", "\ufffd-4\ufffd", "\ufffd5\ufffd3:::", b"\xff"])
def test_a_payload_that_is_none_is_a_value_error(cls, payload):
    with pytest.raises(ValueError):
        made(cls).decode_payload(payload)


# -- get_messages_payload(socket, timeout=None) ----------------------------------------------------


@polling
def test_the_payload_of_the_messages_takes_all_that_wait(cls, socket):
    socket.put_client_msg("3:::a")
    socket.put_client_msg("3:::b")
    payload = made(cls).get_messages_payload(socket)
    assert payload == encode_payload(["3:::a", "3:::b"]).encode()
    assert socket.client_queue.qsize() == 0


@polling
def test_the_payload_of_no_message_in_time_is_empty(cls, socket):
    assert made(cls).get_messages_payload(socket, timeout=0) == b""
    assert made(cls).get_messages_payload(socket, timeout=0.001) == b""


@polling
def test_the_payload_of_the_messages_waits_for_the_first(cls, socket):
    job = gevent.spawn(made(cls).get_messages_payload, socket)
    gevent.sleep(0)
    assert not job.dead
    socket.put_client_msg("3:::a")
    assert job.get(timeout=5) == b"3:::a"


@polling
def test_end_markers_are_no_messages(cls, socket):
    socket.put_client_msg("3:::a")
    socket.put_client_msg(None)
    assert made(cls).get_messages_payload(socket) == b"3:::a"
    socket.put_client_msg(None)
    assert made(cls).get_messages_payload(socket) == b""


# -- on the wire -----------------------------------------------------------------------------------


@polling
def test_get_post_and_options_are_answered_and_nothing_else(cls):
    with serving({"": BaseNamespace}) as server:
        client = ALL_CLIENTS[cls.name](server)
        assert fetch(server, "OPTIONS", client.url).status == 200
        client.open()
        client.send("3:1::hello")
        assert client.recv() == "6:::1"
        for method in ("PUT", "DELETE", "HEAD"):
            assert fetch(server, method, client.url).status == 405
        client.close()


@pytest.mark.parametrize("transport", ["xhr-polling", "jsonp-polling"])
def test_a_poll_that_nothing_happens_in_ends_with_a_noop(transport):
    with serving({"": BaseNamespace}, polling_duration=0.02) as server:
        client = ALL_CLIENTS[transport](server).open()
        assert client.poll() == ["8::"]
        client.close()


@pytest.mark.parametrize("transport", ["xhr-polling", "jsonp-polling"])
def test_everything_that_waits_comes_with_one_poll(transport):
    with online({"": BaseNamespace}, transport) as client:
        for number in range(3):
            client.socket.send_packet({"type": "message", "data": str(number)})
        assert client.poll() == ["3:::0", "3:::1", "3:::2"]


def test_a_websocket_carries_one_packet_in_a_frame():
    with online({"": BaseNamespace}) as client:
        client.send("3:1::one", "3:2::two")
        assert [client.recv(), client.recv()] == ["6:::1", "6:::2"]
        client.socket.put_client_msg("3:::é😀")
        assert client.recv() == "3:::é😀"


@pytest.mark.parametrize("transport", EVERY)
def test_the_transports_use_the_socket_s_methods_so_that_they_can_be_overridden(
    transport, monkeypatch
):
    used = []

    def spy(name):
        original = getattr(Socket, name)

        def method(self, *args, **kwargs):
            used.append(name)
            return original(self, *args, **kwargs)

        return method

    names = {"put_server_msg", "get_server_msg", "put_client_msg", "get_client_msg"}
    if transport == "xhr-polling":
        names.add("get_multiple_client_msgs")
    for name in names:
        monkeypatch.setattr(Socket, name, spy(name))
    with online({"": BaseNamespace}, transport) as client:
        client.send("3:1::x")
        assert client.recv() == "6:::1"
        wait_for(lambda: names <= set(used))
