"""The interface of ``socketio.policyserver``, row by row."""

import gevent
import pytest
from gevent import socket as gsocket
from gevent.server import StreamServer

from socketio.policyserver import FlashPolicyServer
from tests.client import DEADLINE


@pytest.fixture
def server():
    server = FlashPolicyServer(("127.0.0.1", 0))
    server.start()
    yield server
    server.stop()


def ask(server, *parts):
    """Send the parts one after the other and return everything that is answered."""
    with gsocket.create_connection(("127.0.0.1", server.server_port)) as sock:
        sock.settimeout(DEADLINE)
        for part in parts:
            sock.sendall(part)
            gevent.sleep(0)
        sock.shutdown(gsocket.SHUT_WR)
        answer = b""
        try:
            while data := sock.recv(4096):
                answer += data
        except ConnectionResetError:  # the rest of an over-long request was not read
            pass
        return answer


def test_it_is_a_stream_server_on_port_10843_of_every_interface():
    server = FlashPolicyServer()
    assert isinstance(server, StreamServer)
    assert server.address == ("0.0.0.0", 10843)
    assert not server.started


def test_listener_and_backlog_may_be_given():
    server = FlashPolicyServer(("127.0.0.1", 843), 7)
    assert server.address == ("127.0.0.1", 843)
    assert server.backlog == 7
    default = StreamServer(("127.0.0.1", 843), print).backlog
    assert FlashPolicyServer(listener=("127.0.0.1", 843), backlog=None).backlog == default


def test_request_and_policy_are_those_of_the_original():
    assert FlashPolicyServer.policyrequest == b"<policy-file-request/>"
    assert FlashPolicyServer.policy == (
        b'<?xml version="1.0"?><!DOCTYPE cross-domain-policy SYSTEM '
        b'"http://www.macromedia.com/xml/dtds/cross-domain-policy.dtd">\n'
        b'<cross-domain-policy><allow-access-from domain="*" to-ports="*"/></cross-domain-policy>'
    )
    assert len(FlashPolicyServer.policy) == 207


@pytest.mark.parametrize(
    "parts",
    [
        [b"<policy-file-request/>\0"],
        [b"<policy-file-request/>"],
        [b"<policy-file", b"-request/>\0"],
        [b"<policy-file-request/>\0 and more"],
    ],
)
def test_a_policy_request_is_answered_with_the_policy(server, parts):
    assert ask(server, *parts) == FlashPolicyServer.policy


@pytest.mark.parametrize("request_", [b"", b"GET / HTTP/1.1\r\n\r\n", b"<policy", b"x" * 10000])
def test_anything_else_is_answered_with_nothing(server, request_):
    assert ask(server, request_) == b""


def test_the_policy_may_be_the_application_s():
    class Own(FlashPolicyServer):
        policy = b"<mine/>"

    server = Own(("127.0.0.1", 0))
    server.start()
    assert ask(server, b"<policy-file-request/>\0") == b"<mine/>"
    server.stop()
