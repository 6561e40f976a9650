"""What two HTTP parsers could read differently is refused before either sees it."""

import pytest

from socketio.wire.httpcheck import (
    find_header_fault,
    find_request_line_fault,
    find_trailer_fault,
    read_chunk_size,
    split_target,
)

# -- the request line --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "GET / HTTP/1.1",
        "GET / HTTP/1.0",
        "POST /socket.io/1/xhr-polling/123?t=1&x=%00%0d/../ HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "CONNECT good.example:443 HTTP/1.1",
        "CONNECT [::1]:443 HTTP/1.1",
        "GET http://good.example/ HTTP/1.1",
        "GET http://good.example HTTP/1.1",
        "GET HTTPS://good_1.example:8443?t=1 HTTP/1.1",
        "GET http://us%20er:p!w$@[::1]:/page?t=1 HTTP/1.1",
        "M-SEARCH / HTTP/1.1",
        "VERSION-CONTROL / HTTP/1.1",
        "X_Y / HTTP/1.1",
        "GET /?h\xe9\xff?/ HTTP/1.1",
        'GET /"quotes"\\|{}^` HTTP/1.1',
        "GET ///a//b HTTP/1.1",
    ],
)
def test_a_sound_request_line_passes(line):
    assert find_request_line_fault(line) is None


@pytest.mark.parametrize(
    "line",
    [
        *["", " ", "GET", "GET /", "GET / ", "GET  HTTP/1.1", "/ HTTP/1.1", "HTTP/1.1"],
        *["get / HTTP/1.1", "Get / HTTP/1.1", "-GET / HTTP/1.1", "G\xcbT / HTTP/1.1"],
        *["GET  / HTTP/1.1", "GET /  HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.1 "],
        *["GET\t/ HTTP/1.1", "GET /\tHTTP/1.1", "GET /a b HTTP/1.1", "GET\x0b/ HTTP/1.1"],
        *["GET / HTTP/1.1\r", "GET / HTTP/1.1\n", "GET /\r HTTP/1.1", "GET /\x00 HTTP/1.1"],
        # What Python takes for white space: pywsgi would read another target than a proxy does.
        *["GET \xa0/ HTTP/1.1", "GET /\x85 HTTP/1.1", "GET /voil\xc3\xa0 HTTP/1.1"],
        *["GET /?\xa0 HTTP/1.1", "GET /?\x85 HTTP/1.1"],
        *["GET /\x7f HTTP/1.1", "GET /\u0100 HTTP/1.1", "GET / HTTP/1.\u0661"],
        # A target that is none of the four forms, or none that the method goes with.
        *["GET page HTTP/1.1", "GET ?t=1 HTTP/1.1", "GET /\xe9 HTTP/1.1", "GET /\xc3\xa9 HTTP/1.1"],
        *["GET * HTTP/1.1", "OPTIONS */ HTTP/1.1", "GET good.example:443 HTTP/1.1"],
        *["CONNECT / HTTP/1.1", "CONNECT * HTTP/1.1", "CONNECT http://good.example/ HTTP/1.1"],
        *["CONNECT good.example HTTP/1.1", "CONNECT good.example: HTTP/1.1", "CONNECT :1 HTTP/1.1"],
        *["GET http:// HTTP/1.1", "GET http:/good.example/ HTTP/1.1", "GET http:///page HTTP/1.1"],
        *["GET http://]a/ HTTP/1.1", "GET http://[a/ HTTP/1.1", "GET http://a:b/ HTTP/1.1"],
        *["GET http://a@b@c/ HTTP/1.1", "GET http://h\xe9/ HTTP/1.1", "GET http://h#a HTTP/1.1"],
        *["GET ftp://good.example/ HTTP/1.1", "GET s://]a/: HTTP/1.1", "GET javascript:x HTTP/1.1"],
        *["GET / HTTP/0.9", "GET / HTTP/1.2", "GET / HTTP/2.0", "GET / HTTP/1.1.1"],
        *["GET / HTTP/11", "GET / HTTP/1", "GET / http/1.1", "GET / HTTPS/1.1", "GET / HTTP /1.1"],
        *["PROXY TCP4 192.0.2.1 192.0.2.2 56324 443", "\x16\x03\x01\x02", "\u0394ET / HTTP/1.1"],
    ],
    ids=ascii,
)
def test_any_other_request_line_is_malformed(line):
    assert find_request_line_fault(line) == "malformed request line"


# -- the header block --------------------------------------------------------------------------


def block(*lines, end=b"\r\n"):
    """Return the header block of a request with a Host, ``lines``, and the empty line."""
    return b"".join(line + b"\r\n" for line in (b"Host: good.example", *lines)) + end


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (b"Content-Length: 0",),
        (b"Content-Length: 5",),
        (b"content-length:5",),
        (b"Content-Length: \t5 \t",),
        (b"Content-Length: " + b"9" * 18,),
        (b"Transfer-Encoding: chunked",),
        (b"TRANSFER-ENCODING: Chunked ",),
        (b"Cookie: a=b", b"Cookie: c=d"),
        (b"X-Empty:",),
        (b"X-Empty: ",),
        (b"X-Colons: a:b: c",),
        (b"X-Tab: a\tb",),
        (b"X-Latin: \xe9\x80\xff",),
        (b"x.y!#$%&'*+-^_`|~09AZ: all that a name may hold",),
        (b"X-Host: a", b"Hosts: b"),
        (b"Content_Length: x", b"Transfer_Encoding: x"),  # the WSGI server drops such names
    ],
)
@pytest.mark.parametrize("version", ["HTTP/1.1"])
def test_a_sound_header_block_passes(lines, version):
    assert find_header_fault(block(*lines), version) is None


FAULTS = [
    # Two lengths.
    ((b"Content-Length: 5", b"Content-Length: 6"), "more than one Content-Length"),
    ((b"Content-Length: 5", b"content-length: 5"), "more than one Content-Length"),
    ((b"Content-Length: 5", b"X: y", b"CONTENT-LENGTH:5"), "more than one Content-Length"),
    ((b"Content-Length: 5, 5",), "malformed Content-Length"),
    ((b"Content-Length:",), "malformed Content-Length"),
    ((b"Content-Length: ",), "malformed Content-Length"),
    ((b"Content-Length: +5",), "malformed Content-Length"),
    ((b"Content-Length: -5",), "malformed Content-Length"),
    ((b"Content-Length: 0_5",), "malformed Content-Length"),
    ((b"Content-Length: 0x5",), "malformed Content-Length"),
    ((b"Content-Length: 5.0",), "malformed Content-Length"),
    ((b"Content-Length: 5 5",), "malformed Content-Length"),
    ((b"Content-Length: \xb2",), "malformed Content-Length"),
    ((b"Content-Length: " + b"9" * 19,), "malformed Content-Length"),
    ((b"Content-Length: " + b"9" * 5000,), "malformed Content-Length"),
    # A length beside chunks, and codings we do not undo.
    (
        (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        "Content-Length beside Transfer-Encoding",
    ),
    (
        (b"Transfer-Encoding: identity", b"Content-Length: 5"),
        "Content-Length beside Transfer-Encoding",
    ),
    ((b"Transfer-Encoding: xchunked",), "Transfer-Encoding other than chunked"),
    ((b"Transfer-Encoding: identity",), "Transfer-Encoding other than chunked"),
    ((b"Transfer-Encoding:",), "Transfer-Encoding other than chunked"),
    ((b"Transfer-Encoding: chunked, chunked",), "Transfer-Encoding other than chunked"),
    ((b"Transfer-Encoding: gzip, chunked",), "Transfer-Encoding other than chunked"),
    ((b'Transfer-Encoding: "chunked"',), "Transfer-Encoding other than chunked"),
    ((b"Transfer-Encoding: chunked;q=1",), "Transfer-Encoding other than chunked"),
    ((b"Transfer-Encoding: chun\xe4ked",), "Transfer-Encoding other than chunked"),
    (
        (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
        "Transfer-Encoding other than chunked",
    ),
    # White space round a name, folding, lines that are no header.
    ((b"Content-Length : 5",), "malformed header name"),
    ((b"Transfer-Encoding\t: chunked",), "malformed header name"),
    ((b" Content-Length: 5",), "malformed header name"),
    ((b"X-Folded: a", b"\tb: c"), "malformed header name"),
    ((b"X-Folded: a", b" b"), "header line without a colon"),
    ((b": value",), "malformed header name"),
    ((b"X Y: z",), "malformed header name"),
    ((b"X\x00Y: z",), "malformed header name"),
    ((b"X\xe9: z",), "malformed header name"),
    ((b"X(Y): z",), "malformed header name"),
    ((b"no colon here",), "header line without a colon"),
    ((b" ",), "header line without a colon"),
    # Control characters.
    ((b"X: a\x00b",), "control character in a header value"),
    ((b"X: a\rb",), "control character in a header value"),
    ((b"X: a\r",), "control character in a header value"),
    ((b"X: a\rContent-Length: 5",), "control character in a header value"),
    ((b"X: a\x0bb",), "control character in a header value"),
    ((b"X: a\x1eb",), "control character in a header value"),
    ((b"X: a\x7fb",), "control character in a header value"),
    ((b"X: a\nContent-Length: 5",), "header line does not end in CRLF"),
    ((b"X: a\n\r\nGET /smuggled HTTP/1.1",), "header line does not end in CRLF"),
    # One that is meant to be alone: which one counts is up to the reader.
    ((b"Content-Type: a/b", b"content-type: c/d"), "more than one Content-Type"),
    ((b"Content-Type: a/b", b"X: y", b"Content-Type: a/b"), "more than one Content-Type"),
    # Host.
    ((b"Host: good.example",), "more than one Host"),
    ((b"HOST: evil.example",), "more than one Host"),
]


@pytest.mark.parametrize(("lines", "fault"), FAULTS)
def test_a_header_block_that_could_be_read_in_two_ways_is_refused(lines, fault):
    assert find_header_fault(block(*lines), "HTTP/1.1") == fault


@pytest.mark.parametrize(("lines", "fault"), FAULTS)
def test_the_fault_is_found_behind_sound_headers_too(lines, fault):
    assert find_header_fault(block(b"Accept: */*", b"X: y", *lines, b"Z: z"), "HTTP/1.1") == fault


@pytest.mark.parametrize(
    "raw",
    [
        b"Host: good.example\n\n",
        b"Host: good.example\n\r\n",
        b"Host: good.example\r\nX: y\n\r\n",
        b"Host: good.example\r\n\n",
    ],
)
def test_every_line_must_end_in_crlf(raw):
    assert find_header_fault(raw, "HTTP/1.1") == "header line does not end in CRLF"


@pytest.mark.parametrize("length", range(len(block(b"Content-Length: 5"))))
def test_a_header_that_was_cut_off_is_refused_wherever_that_was(length):
    cut = block(b"Content-Length: 5")[:length]
    assert find_header_fault(cut, "HTTP/1.1") == "header without its end"


@pytest.mark.parametrize("raw", [b"\r\n", b"Accept: */*\r\n\r\n"])
def test_a_host_is_demanded_since_http_1_1(raw):
    assert find_header_fault(raw, "HTTP/1.1") == "no Host"
    assert find_header_fault(raw, "HTTP/1.0") is None


def test_chunks_are_not_understood_before_http_1_1():
    raw = block(b"Transfer-Encoding: chunked")
    assert find_header_fault(raw, "HTTP/1.0") == "Transfer-Encoding before HTTP/1.1"


def test_the_empty_line_ends_the_header():
    assert find_header_fault(block() + b"Content-Length : 5\r\n", "HTTP/1.1") is None


SOUND_HOSTS = [
    *b"good.example good.example:8080 good.example: GOOD.example localhost good.example.".split(),
    *b"127.0.0.1 127.0.0.1:6543 [::1] [::1]:443 [::ffff:192.0.2.1]:80 good_1.example".split(),
    *b"xn--bcher-kva.example b%C3%BCcher.example !$&'()*+,;=~ x:65535".split(),
    *[b"", b" good.example \t", b"\tgood.example:80"],
]
OTHER_HOSTS = [
    *[b"good.example evil.example", b"good.example, evil.example", b"x\ty", b"x: 80", b"x :80"],
    *b"user@x user:pw@x @ http://x //x x/ x/path x?a x#a a\\b : :80 x:port x:80:80 x:+80".split(),
    *b"x:-1 x:123456 ::1 [::1 ::1] [] []:80 [::1]x [::1]80 x[::1] [x] [fe80::1%25eth0]".split(),
    *b'[[::1]] b\xfccher.example b\xc3\xbccher.example "x" <x> {x} x|y x^y `x` x\x80'.split(),
]


@pytest.mark.parametrize("host", [*SOUND_HOSTS, *OTHER_HOSTS])
def test_a_host_is_a_name_or_an_address_with_or_without_a_port(host):
    raw, fault = b"X: y\r\nHost:" + host + b"\r\n\r\n", "malformed Host"
    expected = fault if host in OTHER_HOSTS else None
    assert {find_header_fault(raw, f"HTTP/1.{minor}") for minor in (0, 1)} == {expected}


# -- the target, chunks and trailers -----------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "path", "host"),
    [
        *[(same, same, None) for same in ("/", "/a?b#c", "*", "good.example:443", "/http://x/")],
        ("http://good.example", "/", "good.example"),
        ("HTTPS://good.example:8443?t=http://x/", "/?t=http://x/", "good.example:8443"),
        ("http://user:pw@[::1]:80/a//b?c@d", "/a//b?c@d", "[::1]:80"),
    ],
)
def test_a_target_is_taken_apart_into_path_and_host(target, path, host):
    assert split_target(target) == (path, host)


@pytest.mark.parametrize(
    ("line", "size"),
    [
        (b"0\r\n", 0),
        (b"000\r\n", 0),
        (b"1e\r\n", 30),
        (b"0000000000000AbF\r\n", 0xABF),
        (b"5;a\r\n", 5),
        (b'5 ;\ta ; b = c;d="e \\" \xe9;";f=g\r\n', 5),
        *[(line, None) for line in (b"", b"\r\n", b"5", b"5\n", b"5\r", b"g\r\n", b"0x5\r\n")],
        *[(line, None) for line in (b"+5\r\n", b"-5\r\n", b" 5\r\n", b"5 \r\n", b"6_0\r\n")],
        *[(line, None) for line in (b"5;\r\n", b"5; \r\n", b";a\r\n", b"5 a\r\n", b"5;a=\r\n")],
        *[(line, None) for line in (b"5;a\nb\r\n", b"5;a\rb\r\n", b"5;a\x00\r\n", b"5;a\xe9\r\n")],
        *[
            (line, None)
            for line in (b'5;a="b\r\n', b'5;a="\n"\r\n', b"5\r\n\r\n", b"0" * 17 + b"\r\n")
        ],
        (b"0" * 17 + b"\r\n", None),
        (b"5" + b";a" * 4000 + b" " * 4000 + b"\r\n", None),
    ],
)
def test_a_chunk_begins_with_its_size_and_sound_extensions(line, size):
    assert read_chunk_size(line) == size


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"Vary: *\r\n", None),
        (b"X-Empty:\r\n", None),
        *[(line, "malformed trailer") for line in (b"", b"X: y", b"X: y\n", b"X\r\n", b": y\r\n")],
        *[(line, "malformed trailer") for line in (b"X : y\r\n", b" X: y\r\n", b"\xe9: y\r\n")],
        (b"X: \x00\r\n", "control character in a trailer"),
        (b"X: y\rz\r\n", "control character in a trailer"),
        (b"content-LENGTH: 5\r\n", "a trailer that belongs into the header"),
        (b"Transfer-Encoding: x\r\n", "a trailer that belongs into the header"),
        (b"Host: x\r\n", "a trailer that belongs into the header"),
    ],
)
def test_a_trailer_is_a_header_line_that_frames_and_routes_nothing(line, fault):
    assert find_trailer_fault(line) == fault
