"""Routes, origins and header checks on generated input: a verdict, never an exception."""

import http.client
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketio.errors import ConfigError
from socketio.wire.cors import OriginPolicy
from socketio.wire.httpcheck import find_header_fault, find_request_line_fault
from socketio.wire.routes import (
    Disconnect,
    Exchange,
    Handshake,
    WrongVersion,
    jsonp_index,
    match_route,
)

from .strategies import damaged, texts
from .work import MILLION, count_calls

# -- routes ------------------------------------------------------------------------------------

segments = st.one_of(
    st.sampled_from(["", "1", "01", "1.0", "2", "..", "socket.io", "websocket", "12345"]), texts
)
paths = st.one_of(
    texts,
    st.lists(segments, max_size=6).map("/".join),
    st.lists(segments, max_size=6).map(lambda parts: "/socket.io/" + "/".join(parts)),
    damaged(st.just("/socket.io/1/xhr-polling/12345/")),
)
queries = st.one_of(
    texts,
    damaged(st.sampled_from(["disconnect=1", "t=1&jsonp=3&i=4", "jsonp=%33"])),
    st.lists(st.tuples(st.sampled_from(["disconnect", "jsonp", "i", "t", "x"]), texts)).map(
        lambda pairs: "&".join(f"{key}={value}" for key, value in pairs)
    ),
)


@given(paths, queries, st.one_of(st.just("socket.io"), texts))
def test_any_url_has_a_route_or_belongs_to_the_application(path, query, resource):
    route = match_route(path, query, resource)
    if route is None:
        return
    assert path.startswith(f"/{resource}/")
    assert type(route) in (Handshake, Exchange, Disconnect, WrongVersion)
    if isinstance(route, (Exchange, Disconnect)):
        assert route.sessid
        assert "/" not in route.sessid + route.transport
        assert path.endswith((f"/{route.transport}/{route.sessid}", f"/{route.sessid}/"))


@given(queries, st.sampled_from(["jsonp", "i"]))
def test_nothing_but_digits_is_ever_echoed(query, key):
    index = jsonp_index(query, key)
    assert index is None or re.fullmatch("[0-9]{1,12}", index)


def bytes_of(max_size=None):
    """Return a strategy for bytes; not ``st.binary()``, with which Hypothesis fails under -bb."""
    latin = st.text(st.characters(max_codepoint=255), max_size=max_size)
    return latin.map(lambda text: text.encode("latin-1"))


# -- origins -----------------------------------------------------------------------------------

OWN = "http://good.example:8080"
MATCHES_OWN = re.compile(r"(?:http|ws)://good\.example:0?8080", re.ASCII | re.IGNORECASE)

origins = st.one_of(
    texts,
    damaged(st.just(OWN)),
    st.builds("{}{}".format, texts, st.just(OWN)),
    st.builds("{}{}".format, st.just(OWN), texts),
    st.builds(
        "{}://{}{}{}".format,
        st.sampled_from(["http", "https", "ws", "wss", "ftp", ""]),
        st.sampled_from(["", "evil@", "evil.", "user:pw@"]),
        st.sampled_from(["good.example", "evil.example", "[::1]", "GOOD.EXAMPLE", "good.evil"]),
        st.sampled_from(["", ":", ":80", ":8080", ":8081", ":8080.evil", ":8080/", ":8080#"]),
    ),
)
environs = st.fixed_dictionaries(
    {},
    optional={
        "HTTP_ORIGIN": origins,
        "HTTP_SEC_WEBSOCKET_ORIGIN": origins,
        "HTTP_REFERER": st.one_of(origins, origins.map(lambda origin: origin + "/page?x")),
        "HTTP_HOST": st.one_of(st.just("good.example:8080"), texts),
        "HTTP_X_FORWARDED_HOST": st.one_of(st.just("good.example:8080, inner"), texts),
        "HTTP_X_FORWARDED_PROTO": st.one_of(st.sampled_from(["http", "https"]), texts),
        "HTTP_X_FORWARDED_FOR": texts,
        "HTTP_SEC_FETCH_SITE": st.one_of(
            st.sampled_from(["same-origin", "same-site", "cross-site", "none"]), texts
        ),
        "wsgi.url_scheme": st.sampled_from(["http", "https"]),
    },
)


@given(environs, st.booleans(), st.sampled_from([None, "*", OWN, "https://shop.example"]))
def test_any_request_gets_a_verdict_and_headers(environ, script, setting):
    policy = OriginPolicy(setting)
    allowed = policy.allows(environ, script=script)
    assert allowed in (True, False)
    if setting == "*":
        assert allowed
    names = dict(policy.headers(environ))
    origin = environ.get("HTTP_ORIGIN", environ.get("HTTP_SEC_WEBSOCKET_ORIGIN"))
    # What no browser sends is not echoed: a control character has no place in a header of ours.
    clean = origin is not None and origin.isascii() and origin.isprintable()
    assert names.get("Access-Control-Allow-Origin") == (origin if clean else None)
    assert dict(policy.preflight_headers(environ)).items() >= names.items()


@given(origins, environs)
def test_by_default_no_spelling_of_another_origin_is_taken_for_our_own(origin, headers):
    environ = {
        **headers,
        "HTTP_ORIGIN": origin,
        "HTTP_HOST": "good.example:8080",
        "wsgi.url_scheme": "http",
    }
    for name in ("HOST", "PROTO", "FOR"):
        environ.pop(f"HTTP_X_FORWARDED_{name}", None)
    without_scheme = origin.lower() == "good.example:8080"  # as old node clients send it
    allowed = without_scheme or bool(MATCHES_OWN.fullmatch(origin))
    assert OriginPolicy().allows(environ) == allowed


@given(st.one_of(origins, st.lists(st.one_of(origins, st.none(), st.integers(), bytes_of()))))
def test_any_setting_is_a_policy_or_a_config_error(setting):
    policy, complaint = None, ""
    try:
        policy = OriginPolicy(setting)
    except ConfigError as error:
        complaint = str(error)
    assert complaint.startswith("origins: ") if policy is None else policy.allows({})


# -- headers -----------------------------------------------------------------------------------

header_texts = bytes_of(max_size=12)
header_lines = st.one_of(
    st.sampled_from(
        [
            b"Host: good.example",
            b"Content-Length: 5",
            b"content-length: 5",
            b"Transfer-Encoding: chunked",
            b"transfer-encoding: xchunked",
            b"Cookie: a=b",
            b" folded",
            b"X : y",
        ]
    ),
    header_texts,
    st.builds(b"%b: %b".__mod__, st.tuples(header_texts, header_texts)),
    st.builds(b"X-A: %b".__mod__, st.tuples(header_texts)),
)
line_ends = st.sampled_from([b"\r\n"] * 20 + [b"\n", b"\r", b"\r\r\n", b""])
blocks = st.one_of(
    bytes_of(max_size=60),
    st.lists(st.tuples(header_lines, line_ends), max_size=6).map(
        lambda lines: b"".join(line + end for line, end in lines) + b"\r\n"
    ),
    st.lists(header_lines, max_size=5).map(
        lambda lines: b"\r\n".join([b"Host: good.example", *lines, b"", b""])
    ),
)


@given(blocks, st.sampled_from(["HTTP/1.1", "HTTP/1.0"]))
def test_any_header_block_gets_a_verdict_and_a_sound_one_is_read_alike_by_others(block, version):
    fault = find_header_fault(block, version)
    if fault is not None:
        assert 0 < len(fault) < 60
        assert fault.isascii()
        return
    # What passed is read line for line by the parser of the standard library, pywsgi's own.
    lines = block[: (b"\r\n" + block).index(b"\r\n\r\n")].split(b"\r\n")[:-1]
    headers = http.client.parse_headers(io.BytesIO(b"".join(line + b"\r\n" for line in lines)))
    assert [
        (name.encode("latin-1"), value.strip(" \t").encode("latin-1"))
        for name, value in headers.items()
    ] == [
        (name, value.strip(b" \t")) for name, _, value in (line.partition(b":") for line in lines)
    ]
    assert len(headers.get_all("Content-Length", [])) <= 1
    assert not ("Content-Length" in headers and "Transfer-Encoding" in headers)
    assert headers.get("Transfer-Encoding", "chunked").lower() == "chunked"
    assert len(headers.get_all("Host", [])) == 1 or version == "HTTP/1.0"


request_lines = st.one_of(
    texts,
    damaged(st.just("GET /socket.io/1/?t=1 HTTP/1.1")),
    st.builds("{}{}{}{}{}".format, *[st.sampled_from(["GET", " ", "/", "HTTP/1.1", "\t", ""])] * 5),
)


@given(request_lines)
def test_any_request_line_gets_a_verdict_and_a_sound_one_has_three_words(line):
    if find_request_line_fault(line) is None:
        method, target, version = line.split()
        assert line == f"{method} {target} {version}"
        assert method.isupper()
        assert version in ("HTTP/1.0", "HTTP/1.1")


# -- linear time -------------------------------------------------------------------------------

NEAR_MISSES = [
    lambda: match_route("/" * MILLION, "", "socket.io"),
    lambda: match_route("/socket.io/" + "0" * MILLION, "", "socket.io"),
    lambda: match_route("/socket.io/" + "1." * (MILLION // 2), "", "socket.io"),
    lambda: match_route("/socket.io/1." + "0" * MILLION + "x", "", "socket.io"),
    lambda: match_route("/socket.io/1/" + "/" * MILLION, "disconnect", "socket.io"),
    lambda: match_route("/socket.io/1/a/b", "&" * MILLION + "disconnect", "socket.io"),
    lambda: match_route("/socket.io/1/", "%" * MILLION, "socket.io"),
    lambda: jsonp_index("jsonp=" + "1" * MILLION, "jsonp"),
    lambda: jsonp_index("jsonp=" + "%31" * (MILLION // 3), "jsonp"),
    lambda: OriginPolicy().allows({"HTTP_ORIGIN": "http://" + "a" * MILLION, "HTTP_HOST": "a"}),
    lambda: OriginPolicy().allows({"HTTP_ORIGIN": "http://" + "a." * (MILLION // 2) + "/"}),
    lambda: OriginPolicy().allows({"HTTP_ORIGIN": "http://[" + ":" * MILLION}),
    lambda: OriginPolicy().allows({"HTTP_ORIGIN": "http://a:" + "1" * MILLION}),
    lambda: OriginPolicy().allows({"HTTP_REFERER": "/" * MILLION}, script=True),
    lambda: OriginPolicy().allows({"HTTP_ORIGIN": "http://a", "HTTP_HOST": "," * MILLION}),
    lambda: find_request_line_fault("A" * MILLION),
    lambda: find_request_line_fault("GET " + "x" * MILLION),
    lambda: find_request_line_fault("GET / " * (MILLION // 6)),
    lambda: find_header_fault(b"\r\n" * (MILLION // 2), "HTTP/1.1"),
    lambda: find_header_fault(b"a:b\r\n" * (MILLION // 5), "HTTP/1.1"),
    lambda: find_header_fault(b"a" * MILLION + b":\r\n\r\n", "HTTP/1.1"),
    lambda: find_header_fault(b"a: " + b" " * MILLION + b"\x00\r\n\r\n", "HTTP/1.1"),
    lambda: find_header_fault(b"Content-Length: " + b"1" * MILLION + b"\r\n\r\n", "HTTP/1.1"),
]


@pytest.mark.parametrize("near_miss", NEAR_MISSES)
def test_a_million_hostile_characters_are_judged_at_once(near_miss):
    near_miss()


def test_the_number_of_steps_grows_with_the_number_of_headers():
    def steps(count):
        return count_calls(find_header_fault, b"X-A: b\r\n" * count + b"\r\n", "HTTP/1.0")

    once, twice, thrice = steps(500), steps(1000), steps(1500)
    assert thrice - twice == twice - once <= 500 * 20
