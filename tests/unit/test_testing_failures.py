"""What fails in an application: it fails the test, unless the test expects it."""

import gevent
import pytest

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.testing import HandlerFailed, Refused, TestServer


class Chat(BaseNamespace):
    def on_divide(self, number):
        return 1 / number

    def on_spawn(self, number):
        self.spawn(self.divide_later, number)

    def divide_later(self, number):
        gevent.sleep(0.01)
        self.emit("divided", 1 / number)


@pytest.fixture
def server():
    with TestServer({"/chat": Chat}) as running:
        yield running


def test_a_handler_that_fails_fails_the_test(server):
    ada = server.connect("/chat")
    with pytest.raises(
        HandlerFailed, match="handling 'divide' failed: ZeroDivisionError"
    ) as caught:
        ada.emit("divide", 0)
    assert isinstance(caught.value, AssertionError)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.__cause__.__traceback__ is not None
    assert caught.value.failure is server.failures[0]
    assert caught.value.failure.kind == "handler_failed"
    ada.expect("error", "internal_error", 'The server failed to handle "divide"')


def test_more_failures_than_one_are_counted(server):
    clients = [server.connect("/chat") for _ in range(3)]
    for client in clients:
        client._connection.send_text('5:::{"name":"x"}')
        client.socket.put_server_msg('5::/chat:{"name":"divide","args":[0]}')
    with pytest.raises(HandlerFailed, match=r"and 2 more: see server\.failures"):
        server.drain()
    assert len(server.failures) == 3


def test_a_failure_that_is_expected_is_handed_over(server):
    ada = server.connect("/chat")
    with server.failing(ZeroDivisionError, KeyError) as failures:
        ada.emit("divide", 0)
    assert [type(failure.exception) for failure in failures] == [ZeroDivisionError]
    with server.failing() as failures:
        ada.emit("divide", 0)
    assert len(failures) == 1
    assert len(server.failures) == 2
    with pytest.raises(HandlerFailed):
        ada.emit("divide", 0)


def test_another_failure_than_the_expected_is_raised(server):
    ada = server.connect("/chat")
    with pytest.raises(HandlerFailed), server.failing(KeyError):
        ada.emit("divide", 0)


def test_a_failure_that_was_expected_and_did_not_come_fails_the_test(server):
    with (
        pytest.raises(AssertionError, match="should have failed with KeyError or ValueError"),
        server.failing(KeyError, ValueError),
    ):
        server.connect("/chat")
    with pytest.raises(AssertionError, match="should have failed with anything"), server.failing():
        pass


def test_failures_may_be_collected_only():
    with TestServer({"/chat": Chat}, raise_failures=False) as server:
        server.connect("/chat").emit("divide", 0)
        assert len(server.failures) == 1


def test_a_failure_that_nobody_has_seen_is_raised_at_the_end():
    class Clumsy(BaseNamespace):
        def recv_disconnect(self):
            raise LookupError("too late")

    with pytest.raises(HandlerFailed, match="LookupError: too late"), TestServer({"": Clumsy}) as s:
        s.connect().send_raw("3:::x")


def test_the_end_does_not_hide_what_the_test_has_found():
    class Clumsy(BaseNamespace):
        def recv_disconnect(self):
            raise LookupError("too late")

    with pytest.raises(KeyError, match="the test"), TestServer({"": Clumsy}) as server:
        server.connect().send_raw("3:::x")
        raise KeyError("the test")


def test_a_greenlet_of_a_namespace_that_fails_fails_the_test(server):
    ada = server.connect("/chat")
    ada.emit("spawn", 0)
    with pytest.raises(HandlerFailed, match=r"the greenlet of Chat\.divide_later\(\) failed: Zero"):
        server.settle()


def test_a_view_that_fails_fails_the_test():
    def app(environ, start_response):
        raise LookupError("no view")

    with TestServer(app) as server, pytest.raises(HandlerFailed, match="LookupError: no view"):
        server.connect()


def test_a_view_that_does_not_manage_its_session_fails_the_test():
    def app(environ, start_response):
        start_response("404 Not Found", [])
        return []

    with (
        TestServer(app) as server,
        pytest.raises(HandlerFailed, match=r"answered '404 Not Found' .*socketio_manage") as caught,
    ):
        server.connect()
    assert caught.value.__cause__ is None


def test_an_authorize_that_fails_fails_the_test():
    with TestServer({}, authorize=lambda environ: 1 / 0) as server:
        with pytest.raises(HandlerFailed, match=r"authorize\(\) failed: ZeroDivisionError"):
            server.connect()
        with server.failing(ZeroDivisionError), pytest.raises(Refused) as caught:
            server.connect()
        assert caught.value.status == 500


def test_an_authorize_without_a_verdict_fails_the_test():
    with (
        TestServer({}, authorize=lambda environ: "Ada") as server,
        pytest.raises(HandlerFailed, match=r"authorize.. returned 'Ada'"),
    ):
        server.connect()


def test_a_client_that_is_refused_is_no_failure_nor_is_what_a_client_does_wrong(server):
    server.connect("/chat").send_raw("nonsense")
    server.connect("/chat").emit("no such handler")
    assert server.failures == []


def test_json_that_no_client_can_read_fails_the_test():
    def app(environ, start_response):
        socketio_manage(environ, {"/chat": Chat}, json_dumps=lambda value: "{'no': 'json'}")

    with TestServer(app) as server:
        ada = server.connect("/chat")
        ada.namespace.emit("x")
        with pytest.raises(HandlerFailed, match="a client cannot read what the server has sent"):
            ada.received()
