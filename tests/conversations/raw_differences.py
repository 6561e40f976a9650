"""Where our server answers the requests made by hand differently, what it says, and why.

The sections are those of the protocol text. What stands here as ours is demanded to the byte.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from tests.conversations.headers import ANY_LENGTH, HEADERS, HeaderDifference, our_headers
from tests.conversations.player import kind_of
from tests.conversations.raw import Exchange
from tests.conversations.recording import Response

AUTH, URLS = "authorization-and-origins", "handshake-and-urls"
POLLING, UNKNOWN = "polling-session", "unknown-session"

# -- headers ---------------------------------------------------------------------------------------

CREDENTIALS, CHUNKED = "Access-Control-Allow-Credentials: true", "Transfer-Encoding: chunked"
LENGTH, VARY = "Content-Length: LENGTH", "Vary: Origin"
PREFLIGHT = ("Access-Control-Allow-Methods: POST, GET, OPTIONS", "Access-Control-Max-Age: 3600")
CACHES = "section 8.3: the origin is echoed, and caches are told that the answer depends on it"
AS_ASKED = "RFC 9112: the request said close, so the connection ends; node says Keep-Alive"
WITH_CHARSET = "our refusals are texts for people, in UTF-8"

RAW_HEADERS = [
    HeaderDifference(
        "handshake",
        f"{CACHES}; section 17: gevent's headers, with methods and age",
        CREDENTIALS,
        (CREDENTIALS, VARY, *PREFLIGHT),
    ),
    HeaderDifference("refusal", CACHES, CREDENTIALS, (CREDENTIALS, VARY)),
    HeaderDifference("refusal", ANY_LENGTH, CHUNKED, (LENGTH,)),
    HeaderDifference(
        "refusal",
        WITH_CHARSET,
        "Content-Type: text/plain",
        ("Content-Type: text/plain; charset=UTF-8",),
    ),
    HeaderDifference("post", CACHES, CREDENTIALS, (CREDENTIALS, VARY)),
    HeaderDifference("post", "a plain 1 is no page to filter", "X-XSS-Protection: 0", ()),
    HeaderDifference("poll", AS_ASKED, "Connection: Keep-Alive", ("Connection: close",)),
    HeaderDifference("jsonp poll", AS_ASKED, "Connection: Keep-Alive", ("Connection: close",)),
    HeaderDifference(
        "disconnect",
        f"{ANY_LENGTH}; an empty text has a type too",
        CHUNKED,
        (LENGTH, "Content-Type: text/plain; charset=UTF-8"),
    ),
]

# -- bodies ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BodyDifference:
    """What becomes of a recorded body in one kind of answer, wherever it stands."""

    kind: str
    why: str
    recorded: str
    ours: str


SIX = "section 17: all six transports are offered, in a fixed order"
WELCOME = "SID:60:60:websocket,htmlfile,xhr-polling,jsonp-polling"
OUR_TRANSPORTS = "websocket,flashsocket,htmlfile,xhr-polling,jsonp-polling,xhr-multipart"
OUR_WELCOME = f"SID:60:60:{OUR_TRANSPORTS}"
BODIES = [
    BodyDifference("handshake", SIX, WELCOME, OUR_WELCOME),
    BodyDifference("jsonp handshake", SIX, f'io.j[3]("{WELCOME}");', f'io.j[3]("{OUR_WELCOME}");'),
    BodyDifference(
        "refusal",
        "section 2.4 fixes the text; behind it we say what to do",
        "handshake bad origin",
        "handshake bad origin: this server allows its own origin and those in its setting "
        "'origins'",
    ),
]

# -- whole answers ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class RawDifference:
    """One exchange, by its title, that has a wholly different answer with us."""

    file: str
    request: str
    why: str
    ours: Response


def _plain(status: str, body: str, *more: str, kind: str = "text/plain; charset=UTF-8") -> Response:
    lines = [f"Content-Type: {kind}", LENGTH, "Connection: close", *more]
    headers = tuple((name, value) for name, value in (line.split(": ", 1) for line in lines))
    return Response(0, status, headers, body)


def framed(*packets: str) -> str:
    """Return ASCII packets as a payload."""
    return "".join(f"\ufffd{len(text)}\ufffd{text}" for text in packets)


ORIGIN = ("Access-Control-Allow-Origin: http://o.example", CREDENTIALS, VARY)
PAGE = "the application's page"
NOT_OURS = "section 17: every other URL below the resource goes to the application, as with gevent"
VERSION = "section 17: another version is a 400, with node's text and what we speak"
NEEDS_ONE = "section 2.5: no origin at all is no browser; only what a script can ask for needs one"
IS_400 = "section 17: an unknown session is a 400 on xhr-polling and websocket, and on every POST"
METHODS = "section 8.3: OPTIONS is a preflight and makes no session, other methods are a 405"

_PREFLIGHT = _plain("200 OK", "", *ORIGIN, *PREFLIGHT)
_APPLICATION = Response(
    0, "200 OK", (("Content-Type", "text/plain"), ("Content-Length", "LENGTH")), PAGE
)
_VERSION = _plain(
    "400 Bad Request",
    "Protocol version not supported. This server speaks Socket.IO 0.9 (version 1).",
)
_OVER = _plain("400 Bad Request", "session unknown or over")
_EVENT = '5:::{"args":[null,"\\ud83d\\ude00"],"name":"e"}'
_NO_NOPE = (
    '5::/nope:{"args":["no_such_namespace",'
    '"The endpoint you tried to connect to doesn\'t exist: /nope"],"name":"error"}'
)
_NO_ERR = '5::/err:{"args":["internal_error","The namespace could not be opened"],"name":"error"}'
NAMESPACES = ("1::/chat", _NO_NOPE, "7::/secret:2", "1::/err", _NO_ERR, "0::/err", "1::/chat:?a=b")
_PAGE_HEAD = "<html><body><script>var _ = function (msg) { parent.s._(msg, document); };</script>"

RAW_DIFFERENCES = [
    RawDifference(
        AUTH, "GET /socket.io/1/", NEEDS_ONE, _plain("200 OK", OUR_WELCOME, kind="text/plain")
    ),
    RawDifference(URLS, "OPTIONS /socket.io/1/ Origin: http://o.example", METHODS, _PREFLIGHT),
    RawDifference(URLS, "GET /socket.io/2/", VERSION, _VERSION),
    RawDifference(URLS, "GET /socket.io/2/?jsonp=0", VERSION, _VERSION),
    RawDifference(URLS, "GET /socket.io/0/", VERSION, _VERSION),
    *(
        RawDifference(URLS, f"GET {target}", NOT_OURS, _APPLICATION)
        for target in (
            "/socket.io/",
            "/socket.io",
            "/socket.io/abc/",
            "/socket.io/abc/def",
            "/socket.ioX/1/",
            "/socket.io/1/xhr-polling",
            "/socket.io/1/xhr-polling/abc/def",
        )
    ),
    RawDifference(
        POLLING,
        '[three packets queued between two polls: send("a"), emit("e", null, "\\ud83d\\ude00"), '
        "json.send(1)] GET /socket.io/1/xhr-polling/SID",
        "section 17: JSON text is ASCII with sorted keys, as gevent-socketio's tests demand",
        _plain("200 OK", framed("3:::a", _EVENT, "4:::1")),
    ),
    RawDifference(
        POLLING,
        "[namespaces: accepted, unknown, refused, error, with a query; then one poll] "
        "GET /socket.io/1/xhr-polling/SID",
        "section 16.1: an unknown namespace is answered with gevent's error event; one that fails "
        "to open tells it with an event instead of 7::/err:undefined, and leaves; section 4.2: "
        "the query is echoed",
        _plain("200 OK", framed(*NAMESPACES)),
    ),
    RawDifference(
        POLLING,
        "[OPTIONS and PUT] OPTIONS /socket.io/1/xhr-polling/SID Origin: http://o.example",
        METHODS,
        _PREFLIGHT,
    ),
    RawDifference(
        POLLING,
        "PUT /socket.io/1/xhr-polling/SID",
        METHODS,
        _plain("405 Method Not Allowed", "use GET, POST or OPTIONS", "Allow: GET, POST, OPTIONS"),
    ),
    RawDifference(
        POLLING,
        "[the older poll] GET /socket.io/1/xhr-polling/SID",
        "section 17: the newest poll wins, the old one gets 8::",
        _plain("200 OK", "8::"),
    ),
    RawDifference(POLLING, "[the next poll] GET /socket.io/1/xhr-polling/SID", IS_400, _OVER),
    RawDifference(UNKNOWN, "GET /socket.io/1/xhr-polling/nosuch", IS_400, _OVER),
    RawDifference(
        UNKNOWN,
        "GET /socket.io/1/xhr-polling/nosuch Origin: http://o.example",
        IS_400,
        _plain("400 Bad Request", "session unknown or over", *ORIGIN),
    ),
    RawDifference(
        UNKNOWN,
        "GET /socket.io/1/htmlfile/nosuch",
        f"a page that is complete at once needs no chunks: {ANY_LENGTH}; {AS_ASKED}",
        _plain(
            "200 OK",
            _PAGE_HEAD.ljust(256) + '<script>_("7:::1+0");</script>',
            "X-Accel-Buffering: no",
            kind="text/html; charset=UTF-8",
        ),
    ),
    RawDifference(UNKNOWN, "POST /socket.io/1/xhr-polling/nosuch", IS_400, _OVER),
    RawDifference(
        UNKNOWN,
        "POST /socket.io/1/jsonp-polling/nosuch?i=0 "
        "Content-Type: application/x-www-form-urlencoded",
        IS_400,
        _OVER,
    ),
    RawDifference(UNKNOWN, "GET /socket.io/1/websocket/nosuch", IS_400, _OVER),
    RawDifference(
        UNKNOWN,
        "GET /socket.io/1/nope/nosuch",
        "section 17: an unknown transport is a 400, not the end of the connection",
        _plain(
            "400 Bad Request",
            f"transport not available here: use {OUR_TRANSPORTS.replace(',', ', ')}",
        ),
    ),
]

# -- what is demanded ------------------------------------------------------------------------------


Ours: TypeAlias = Callable[[str, Exchange], Response]
"""What our server has to answer, by file and exchange."""


def kind_of_answer(exchange: Exchange) -> str:
    """Return the kind under which the tables have an answer."""
    answer = exchange.answer
    refused = isinstance(answer, Response) and answer.status[:3] in ("403", "500")
    return "refusal" if refused else kind_of(exchange.request)


def our_answer(file: str, exchange: Exchange) -> Response:
    """Return what our server has to answer."""
    for difference in RAW_DIFFERENCES:
        if (difference.file, difference.request) == (file, exchange.title):
            return difference.ours
    answer = exchange.answer
    assert isinstance(answer, Response), f"{exchange.title}: {answer}"
    kind = kind_of_answer(exchange)
    headers = our_headers(kind, answer.headers, [*HEADERS, *RAW_HEADERS])
    bodies = {entry.recorded: entry.ours for entry in BODIES if entry.kind == kind}
    return replace(answer, headers=headers, body=bodies.get(answer.body, answer.body))
