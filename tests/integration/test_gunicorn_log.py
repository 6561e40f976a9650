"""gunicorn's access log: a line for every request of ours, with no session id and no surprises."""

from __future__ import annotations

import re
import socket

import pytest

from tests.integration.gunicorns import Gunicorn, gunicorn, where
from tests.remote import RemoteClients

FORMAT = '%(h)s "%(r)s" %(s)s %({content-type}o)s %(D)s %(U)s %({user-agent}i)s %({http_host}e)s|'


def test_every_request_has_its_line_without_the_credential() -> None:
    with gunicorn("--access-logfile", "-", "--access-logformat", FORMAT) as server:
        ids = []
        for transport in ("websocket", "xhr-polling"):
            with RemoteClients(transport) as clients:
                ada = clients.connect(server.url)
                ids.append(where(ada)["sessid"])
                ada.disconnect()
                short = f"{ids[-1][:6]}..."
                path = rf"/socket\.io/1/{transport}/{short}"
                found = server.program.wait_for_line(
                    rf'^127\.0\.0\.1 "GET {path}\S* HTTP/1\.1" (\d+) (.+) \d+ {path} .*\|$'
                )
                if transport == "websocket":  # its end is not always what is logged first
                    assert found[1] == "101"
                else:
                    assert found[1] == "200"
                    assert found[2] == "text/plain; charset=UTF-8"
        server.program.wait_for_line(rf'"POST /socket\.io/1/xhr-polling/{ids[1][:6]}\.\.\.')
        output = server.program.output()
        assert '"GET /socket.io/1/?t=' in output
        assert not re.search(r"\d{20}", output)
        for sessid in ids:
            assert sessid[:6] in output
        assert "Traceback" not in output
        assert "BytesWarning" not in output


def raw(server: Gunicorn, data: bytes) -> bytes:
    """Return all that the server answers to ``data``."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as sock:
        sock.sendall(data)
        answer = b""
        while part := sock.recv(65536):
            answer += part
        return answer


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        # No request at all, also behind one that was fine: nothing of that one is in its line.
        (b"BAD REQUEST\r\n\r\n", r'127\.0\.0\.1 "BAD REQUEST " 400 - 0 - - -\|'),
        (
            b"GET /page HTTP/1.1\r\nHost: here\r\nUser-Agent: me\r\n\r\nBAD\r\n\r\n",
            r'127\.0\.0\.1 "BAD  " 400 - 0 - - -\|',
        ),
        # Bytes that would make a line of their own, or move the cursor.
        (
            b"GET /a%0Ab%1B HTTP/1.1\r\nHost: h\r\nUser-Agent: \xff\r\nConnection: close\r\n\r\n",
            r'127\.0\.0\.1 "GET /a%0Ab%1B HTTP/1\.1" 200 text/plain \d+ /a\\nb\\x1b \\xff h\|',
        ),
    ],
    ids=["garbage", "garbage behind a request", "control characters"],
)
def test_what_a_client_sends_cannot_spoil_the_log(request_: bytes, line: str) -> None:
    with gunicorn("--access-logfile", "-", "--access-logformat", FORMAT) as server:
        assert raw(server, request_).startswith(b"HTTP/1.1 ")
        server.program.wait_for_line(f"^{line}$")
        assert "Traceback" not in server.program.output()
