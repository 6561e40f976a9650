"""F2, F4, F5 and F23: requests that are refused for what they ask."""

from __future__ import annotations

import contextlib
import time

import gevent

from tests.client import Connection, PollingClient
from tests.trust.rawhttp import REFUSED, Timing, ask_all, exchange, head, is_alive, leave
from tests.trust.rows import Figure, row
from tests.trust.stage import Place, Stage

_FOREIGN = "Origin: http://evil.example"
_UPGRADE = [
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
]

# -- F2 --------------------------------------------------------------------------------------------

# Request line, further header lines, status. All of them announce a body of 10 MB.
_WITH_BODY = [
    ("POST /socket.io/1/xhr-polling/1", [], 400),
    ("POST /socket.io/1/jsonp-polling/1", [], 400),
    ("POST /socket.io/1/htmlfile/1", [], 400),
    ("POST /socket.io/1/nope/SID", [], 400),
    ("POST /socket.io/2/", [], 400),
    ("POST /socket.io/?EIO=4&transport=polling", [], 400),
    ("POST /socket.io/1/websocket/SID", [], 400),
    ("GET /socket.io/1/websocket/SID", _UPGRADE, 400),
    ("PUT /socket.io/1/xhr-polling/SID", [], 405),
    ("PUT /socket.io/1/", [], 405),
    ("DELETE /socket.io/1//SID?disconnect", [], 405),
    ("POST /socket.io/1/", [_FOREIGN], 403),
    ("POST /socket.io/1/xhr-polling/SID", [_FOREIGN], 403),
    ("POST /socket.io/1//SID?disconnect", [_FOREIGN], 403),
    ("POST /socket.io/1/xhr-polling/SID", [], 413),
    ("POST /page", ["X-A: b\r\n folded"], 400),
]


def refused_while_sending(
    place: Place, data: bytes, status: int, answer: Timing, gone: Timing
) -> str:
    """Send a request whose body never ends to come; return what is wrong."""
    connection = Connection(place)
    connection.sock.settimeout(5)
    begin = time.monotonic()
    try:
        connection.send_raw(data + b"the beginning")
        got = connection.read_answer().status
        answer.note(time.monotonic() - begin, repr(data[:40]))
        REFUSED.note(time.monotonic() - begin, repr(data[:40]))
        if connection.sock.recv(1):
            return "more than one answer"
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while time.monotonic() - begin < 5:
                connection.send_raw(b"more of it")
                gevent.sleep(0.02)
        gone.note(time.monotonic() - begin, repr(data[:40]))
    except OSError as exc:
        return f"{data[:40]!r}: {exc!r}"
    finally:
        connection.close()
    return "" if got == status else f"{data[:40]!r}: {got}"


@row(
    "F2",
    "refused requests (400, 403, 405, 413) whose body keeps coming, slowly and for ever",
    passes="answered within 1 s, the connection ended within 3 s, the session untouched",
)
def refused_bodies(stage: Stage) -> Figure:
    place = stage.shared()
    client = PollingClient(place).open()
    answer, gone = Timing(), Timing()
    cases = _WITH_BODY * stage.number(12)

    def refuse(case: tuple[str, list[str], int]) -> str:
        line, lines, status = case
        line = f"{line.replace('SID', client.sessid)} HTTP/1.1"
        data = head(place, line, "Content-Length: 10000000", *lines)
        return refused_while_sending(place, data, status, answer, gone)

    wrong = [text for text in ask_all(refuse, cases, at_once=64) if text]
    alive = is_alive(client)
    leave(client)
    ok = not wrong and alive and answer.count == gone.count == len(cases)
    ok = ok and answer.worst < 1 and gone.worst < 3
    listed = f"; {len(wrong)} otherwise: {'; '.join(wrong)[:200]}" if wrong else ""
    return Figure(
        ok,
        f"{answer.count} of {len(cases)} answered, at most after {answer.worst * 1000:.0f} ms, "
        f"ended after {gone.worst:.1f} s{listed}",
    )


# -- F4 --------------------------------------------------------------------------------------------

_SAME = "Origin: http://HOST"
# Request line, further header lines, status, a part of the body.
_URLS: list[tuple[str, list[str], int, str]] = [
    ("GET /socket.io/1/nope/SID", [], 400, "transport not available"),
    ("POST /socket.io/1/nope/SID", [], 400, "transport not available"),
    ("GET /socket.io/1/XHR-POLLING/SID", [], 400, "transport not available"),
    ("GET /socket.io/1/__init__/SID", [], 400, "transport not available"),
    ("GET /socket.io/1/%00/SID", [], 400, "transport not available"),
    ("PUT /socket.io/1/xhr-polling/SID", [], 405, "use GET, POST or OPTIONS"),
    ("DELETE /socket.io/1/xhr-polling/SID", [], 405, "use GET, POST or OPTIONS"),
    ("TRACE /socket.io/1/xhr-polling/SID", [], 405, "use GET, POST or OPTIONS"),
    ("PATCH /socket.io/1/jsonp-polling/SID", [], 405, "use GET, POST or OPTIONS"),
    ("PROPFIND /socket.io/1/htmlfile/SID", [], 405, "use GET, POST or OPTIONS"),
    ("HEAD /socket.io/1/xhr-polling/SID", [], 405, ""),
    ("PUT /socket.io/1/", [], 405, "use GET, POST, OPTIONS"),
    ("TRACE /socket.io/1/", [], 405, "use GET, POST, OPTIONS"),
    ("DELETE /socket.io/1//SID?disconnect", [], 405, "use GET, POST, OPTIONS"),
    ("GET /socket.io/2/", [], 400, "Protocol version not supported"),
    ("POST /socket.io/0/xhr-polling/SID", [], 400, "Protocol version not supported"),
    ("GET /socket.io/10/?jsonp=1", [], 400, "Protocol version not supported"),
    ("GET /socket.io/?EIO=4&transport=polling", [], 400, "Socket.IO 0.9"),
    ("GET /socket.io/socket.io.js", [], 404, ""),
    ("GET /socket.io/static/flashsocket/WebSocketMain.swf", [], 404, "Flash"),
    ("OPTIONS /socket.io/1/", [_SAME], 200, ""),
    ("OPTIONS /socket.io/1/xhr-polling/SID", [_SAME], 200, ""),
    ("OPTIONS /socket.io/1/", [_FOREIGN], 403, ""),
    ("OPTIONS /socket.io/1/xhr-polling/SID", [_FOREIGN], 403, ""),
    # Not below our resource: the application's, as documented.
    ("GET //socket.io/1/", [], 200, "the application's page"),
    ("GET /xsocket.io/1/", [], 200, "the application's page"),
    ("GET /a/socket.io/1/", [], 200, "the application's page"),
    ("GET /Socket.IO/1/", [], 200, "the application's page"),
]


@row(
    "F4",
    "unknown transports, methods, versions, resources; OPTIONS",
    passes="the right status with a length and a reason at once; what is not below the resource "
    "is the application's, as documented",
    original="empty replies and connections that hang",
)
def odd_urls(stage: Stage) -> Figure:
    place = stage.shared()
    client = PollingClient(place).open()
    host = f"127.0.0.1:{place.server_port}"

    def ask(case: tuple[str, list[str], int, str]) -> str:
        line, lines, status, text = case
        lines = [entry.replace("HOST", host) for entry in lines]
        data = head(place, f"{line.replace('SID', client.sessid)} HTTP/1.1", *lines)
        reply = exchange(place, data, answers=1, bodiless=line.startswith("HEAD"))
        if reply.status != status or text not in reply.answers[0].text:
            return f"{line} -> {reply.statuses} after {reply.seconds:.1f} s"
        headers = reply.answers[0].headers
        if line.startswith("OPTIONS") and status == 200:
            allowed = headers.get("access-control-allow-origin") == f"http://{host}"
            return "" if allowed else f"{line}: {headers}"
        return "" if "content-length" in headers else f"{line}: no length"

    wrong = [text for text in ask_all(ask, _URLS) if text]
    alive = is_alive(client)
    leave(client)
    listed = f": {'; '.join(wrong)[:300]}" if wrong else ""
    ok = not wrong and alive
    return Figure(ok, f"{len(_URLS) - len(wrong)} of {len(_URLS)} right{listed}")


# -- F5 --------------------------------------------------------------------------------------------


@row(
    "F5",
    "a WebSocket URL without an upgrade, a polling URL with one, transports that are not offered",
    passes="400 each, the session goes on",
)
def wrong_upgrades(stage: Stage) -> Figure:
    place = stage.serve(transports=["websocket", "xhr-polling"])
    client = PollingClient(place).open()
    half = [
        ["Upgrade: websocket"],
        ["Connection: Upgrade"],
        ["Upgrade: h2c", "Connection: Upgrade"],
    ]
    cases: list[tuple[str, str, list[str]]] = [
        *[(method, "websocket", lines) for method in ("GET", "POST") for lines in ([], *half)],
        *[("GET", "websocket", [*_UPGRADE[:2], line]) for line in _UPGRADE[2:]],
        ("POST", "websocket", _UPGRADE),
        *[(method, "xhr-polling", _UPGRADE) for method in ("GET", "POST")],
        *[
            (method, name, lines)
            for name in ("flashsocket", "htmlfile", "jsonp-polling", "xhr-multipart")
            for method in ("GET", "POST")
            for lines in ([], _UPGRADE)
        ],
    ]

    def ask(case: tuple[str, str, list[str]]) -> str:
        method, name, lines = case
        line = f"{method} /socket.io/1/{name}/{client.sessid} HTTP/1.1"
        length = ["Content-Length: 0"] if method == "POST" else []
        reply = exchange(place, head(place, line, *lines, *length), answers=1)
        return "" if reply.status == 400 else f"{method} {name} {lines} -> {reply.statuses}"

    wrong = [text for text in (ask(case) or alive_text(client) for case in cases) if text]
    sessions = place.stats()["sessions"]["total"]
    leave(client)
    listed = f": {'; '.join(wrong)[:300]}" if wrong else ""
    ok = not wrong and sessions == 2
    return Figure(
        ok,
        f"{len(cases) - len(wrong)} of {len(cases)} refused, the session alive after each{listed}",
    )


def alive_text(client: PollingClient) -> str:
    return "" if is_alive(client) else "the session is dead"


# -- F23 -------------------------------------------------------------------------------------------

_SESSIDS = [
    *["nosuch", "0", "-1", "1" * 40, "9" * 400, "__proto__", "constructor", "__class__", "None"],
    *["..", ".", "%2e%2e", "%00", "SID%00", "SID%20", "%20SID", "SIDx", "SID%0a", "SID;", "SID,"],
    *[
        "%0d%0aSet-Cookie:a=b",
        "%0a",
        "%0d",
        "%ff",
        "%c0%af",
        "%ed%a0%80",
        "%F0%9F%98%80",
        "%EF%BF%BD",
    ],
    *[
        "a:b,c;d",
        "*",
        "'",
        '"',
        "`id`",
        "$(id)",
        "{}",
        "[]",
        "%3Cscript%3E",
        "<script>",
        "%s%n",
        "{0}",
    ],
    *["%D9%A1", "%EF%BC%91", "x" * 1000, "x" * 8000, "%25" * 2600],
]


@row(
    "F23",
    "session ids with odd characters, of 8 kB, with CRLF, NUL, in other alphabets",
    passes="400 (over the longest line: 414), nothing echoed, no session touched",
)
def odd_session_ids(stage: Stage) -> Figure:
    place = stage.shared()
    client = PollingClient(place).open()
    cases = [(method, sessid) for sessid in _SESSIDS for method in ("GET", "POST")]

    def ask(case: tuple[str, str]) -> str:
        method, sessid = case
        sessid = sessid.replace("SID", client.sessid)
        reply = fetch_timed(place, method, f"/socket.io/1/xhr-polling/{sessid}")
        same = reply == (400, "session unknown or over")
        return "" if same else f"{method} {sessid[:30]} -> {reply}"

    wrong = [text for text in ask_all(ask, cases) if text]
    longest = fetch_timed(place, "GET", "/socket.io/1/xhr-polling/" + "1" * 9000)[0]
    alive = is_alive(client)
    leave(client)
    ok = not wrong and alive and longest == 414
    listed = f": {'; '.join(wrong)[:300]}" if wrong else ""
    return Figure(
        ok, f"{len(cases) - len(wrong)} of {len(cases)} answered 400{listed}, 9 kB: {longest}"
    )


def fetch_timed(place: Place, method: str, target: str) -> tuple[int, str]:
    """Return status and text of a request with a packet as its body, as long as it is refused."""
    body = b"3:::x" if method == "POST" else b""
    data = head(place, f"{method} {target} HTTP/1.1", f"Content-Length: {len(body)}") + body
    reply = exchange(place, data, answers=1)
    headers = set(reply.answers[0].headers) if reply.answers else set()
    known = {"content-type", "content-length", "connection", "date"}
    return reply.status, reply.answers[0].text if headers <= known else f"headers {headers}"
