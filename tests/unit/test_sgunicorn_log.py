"""What a request under gunicorn hands to the access log."""

from __future__ import annotations

import importlib
import logging
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.tools import missing

try:
    sgunicorn = importlib.import_module("socketio.sgunicorn")
except ImportError:
    missing("gunicorn")

SESSID = "1234567890" * 4
SHORT = "123456..."
ENVIRON = {
    "RAW_URI": f"/1/{SESSID}",
    "gunicorn.sock": 1,
    "PATH_INFO": "/\n\x1b",
    "HTTP_REFERER": f"http://x/{SESSID}?a",
    "HTTP_USER_AGENT": "me",
    "CONTENT_TYPE": "text/plain",
}


def handler(**attributes: Any) -> Any:
    """Return what a handler looks like when its request is over."""
    seen = SimpleNamespace(access=lambda *args: seen.calls.append(args), calls=[])
    made = object.__new__(sgunicorn.GunicornWSGIHandler)
    made.__dict__.update(
        {
            "server": SimpleNamespace(log=seen),
            "environ": ENVIRON,
            "response_headers": [(b"Content-Type", b"text/plain"), (b"X-Id", SESSID.encode())],
            "status": b"200 OK",
            "_orig_status": "200 OK",
            "requestline": "GET / HTTP/1.1",
            "client_address": ("192.0.2.1", 5),
            "time_start": 100,
            "time_finish": 101.5,
            "response_length": 7,
            **attributes,
        }
    )
    made.log_request()
    ((made.answer, made.question, made.logged, made.took),) = seen.calls
    return made


def test_a_line_has_the_request_as_text_without_the_credential():
    done = handler()
    assert (done.answer.status, done.answer.sent) == ("200 OK", 7)
    assert done.answer.headers == [("Content-Type", "text/plain"), ("X-Id", SHORT)]
    assert done.question.headers == [
        ("REFERER", f"http://x/{SHORT}?a"),
        ("USER-AGENT", "me"),
        ("CONTENT-TYPE", "text/plain"),
    ]
    assert dict(done.logged) == {
        **ENVIRON,
        "RAW_URI": f"/1/{SHORT}",
        "PATH_INFO": "/\\n\\x1b",
        "HTTP_REFERER": f"http://x/{SHORT}?a",
    }
    assert len(done.logged) == len(ENVIRON)
    assert done.took == timedelta(seconds=1.5)


def test_a_clock_that_goes_back_makes_no_negative_time():
    assert handler(time_finish=90).took == timedelta(0)


def test_what_is_logged_is_cut():
    assert len(handler(environ={"RAW_URI": "/\xff" * 1000}).logged["RAW_URI"]) == 1000


@pytest.mark.parametrize(
    ("status", "logged"),
    [("400", "400"), (b"408 Request Timeout", "408 Request Timeout"), (None, "000")],
)
@pytest.mark.parametrize("environ", [None, {"RAW_URI": "/of/the/request/before"}])
def test_what_is_no_request_has_a_line_of_its_own(status: Any, logged: str, environ: Any):
    done = handler(
        _orig_status=None, status=status, environ=environ, requestline=f"GET /{SESSID}\r\n"
    )
    assert done.answer.status == logged
    assert done.answer.headers == done.question.headers == []
    assert dict(done.logged) == {
        "REQUEST_METHOD": "GET",
        "RAW_URI": f"/{SHORT}",
        "SERVER_PROTOCOL": "",
        "PATH_INFO": "-",
        "QUERY_STRING": "",
        "REMOTE_ADDR": "192.0.2.1",
    }
    assert done.took == timedelta(0)


def test_a_client_on_a_unix_socket_has_no_address():
    assert "REMOTE_ADDR" not in handler(environ=None, client_address="").logged


def test_gunicorns_own_formatter_takes_what_we_give_it():
    glogging = importlib.import_module("gunicorn.glogging")
    config = importlib.import_module("gunicorn.config").Config()
    config.set("accesslog", "-")
    log = glogging.Logger(config)
    try:
        for done in (handler(), handler(environ=None, requestline="?")):
            environ = {"REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.1", **done.logged}
            atoms = log.atoms(done.answer, done.question, environ, done.took)
            assert atoms["s"] == "200"
            assert atoms.get("{user-agent}i") == ("me" if "HTTP_REFERER" in environ else None)
            assert SESSID not in str(atoms)
    finally:
        for logger in (log.error_log, log.access_log):
            logger.handlers.clear()
    assert logging.getLogger("gunicorn.access") is log.access_log
