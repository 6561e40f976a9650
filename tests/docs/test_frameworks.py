"""docs/frameworks.rst and docs/flask.rst: the context of an event, and hooks around it."""

import logging

import pytest
from flask import got_request_exception

from socketio.testing import TestServer
from tests.docs.howto import load
from tests.subprograms import TOP


@pytest.fixture
def hooks():
    return load(TOP / "docs" / "samples" / "frameworks" / "hooks.py")


@pytest.fixture
def server(hooks):
    with TestServer(hooks.app, raise_failures=False) as server:
        yield server


def test_a_handler_has_the_application_and_the_hooks_see_each_packet(hooks, server, caplog):
    caplog.set_level(logging.INFO, hooks.log.name)
    ada = server.connect("/audited")
    assert ada.ask("divide", 6, 2) == [[3.0, hooks.app.name]]
    ada.emit("divide", 6, 0)
    ada.expect("error", "internal_error", 'The server failed to handle "divide"')
    assert hooks.outcome == {"well": 2, "ZeroDivisionError": 1}
    assert [line.getMessage() for line in caplog.records if line.name == hooks.log.name] == [
        "connect begins",
        "divide begins",
        "divide begins",
    ]


def test_those_who_listen_to_the_signal_of_flask_hear_of_it(hooks, server):
    heard = []

    def listen(sender, exception, **more):
        heard.append((sender, type(exception)))

    with got_request_exception.connected_to(listen, hooks.app):
        ada = server.connect("/watched")
        assert ada.ask("divide", 1, 1)[0][0] == 1.0
        ada.emit("divide", 1, 0)
        ada.expect("error", "internal_error", 'The server failed to handle "divide"')
    assert heard == [(hooks.app, ZeroDivisionError)]
