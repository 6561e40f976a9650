"""A header costs what its length costs, whatever is in it."""

from __future__ import annotations

import io
from typing import Any

import pytest

from socketio.stricthttp import StrictHTTPHandler
from tests.client import fetch, serving
from tests.property.work import count_calls

# The standard library reads a Content-Type as if it were that of a mail.
COSTLY = [
    'multipart/x; a="' + ";" * 5_000,
    "multipart/x" + "; a*0=1" * 500,
    "a/b; a*" + "1" * 5_000,
]


class Strict:
    """As much of a server as the parser of headers needs."""

    strict_http = True


def calls_to_parse(value: str) -> int:
    handler: Any = StrictHTTPHandler.__new__(StrictHTTPHandler)
    handler.server, handler.request_version = Strict(), "HTTP/1.1"
    block = f"Host: x\r\nContent-Type: {value}\r\n\r\n".encode()
    return count_calls(handler.MessageClass, io.BytesIO(block))


@pytest.mark.parametrize("value", COSTLY, ids=["semicolons", "parameters", "digits"])
def test_no_header_takes_more_steps_than_a_plain_one(value: str) -> None:
    # Fewer, if anything: a connection does not remember a long header.
    assert calls_to_parse(value) <= calls_to_parse("text/plain")


@pytest.mark.parametrize("value", [*COSTLY, "multipart/x; a*=1; a*1=2"])
def test_an_odd_content_type_is_the_application_s_to_judge(value: str) -> None:
    seen: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ["CONTENT_TYPE"])
        start_response("200 OK", [("Content-Length", "0")])
        return []

    with serving(app) as server:
        assert fetch(server, "GET", "/", Content_Type=value).status == 200
    assert seen == [value]


@pytest.mark.parametrize(("number", "status"), [(98, 200), (99, 400)])
def test_a_request_may_have_a_hundred_headers(number: int, status: int) -> None:
    headers = {f"X-{count}": "1" for count in range(number)}
    with serving({}) as server:
        answer = fetch(server, "GET", "/", Connection="close", **headers)
        assert answer.status == status
