"""The client file: one file, read once, with a tag, compressed for who asks (section 18)."""

import gzip
from pathlib import Path

import pytest

from socketio.clientfile import ClientFile
from socketio.errors import ConfigError
from tests.client import fetch, serving

SCRIPT = "/*! Socket.IO.js build:0.9.17 */\nvar io = '\u2603';\n".encode() * 40
URL = "/socket.io/socket.io.js"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "socket.io.js"
    path.write_bytes(SCRIPT)
    return path


@pytest.fixture
def client_file(path):
    return ClientFile(path)


def ask(client_file, method="GET", **headers):
    """Return the answer, and its headers by name, each of which may be there once."""
    environ = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    response = client_file.respond({"REQUEST_METHOD": method, **environ})
    found = dict(response.headers)
    assert len(found) == len(response.headers)
    return response, found


def tag_of(client_file, **headers):
    return ask(client_file, **headers)[1]["ETag"]


def test_the_file_comes_as_a_script_that_any_page_may_load(client_file):
    response, headers = ask(client_file)
    assert (response.status, response.body) == ("200 OK", SCRIPT)
    tag = headers.pop("ETag")
    assert headers == {
        "Content-Type": "application/javascript; charset=utf-8",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": "public, max-age=3600",
        "Vary": "Accept-Encoding",
    }
    assert tag[0] == tag[-1] == '"'
    assert tag.strip('"').isalnum()


def test_the_path_may_be_a_text(path):
    assert ask(ClientFile(str(path)))[0].body == SCRIPT


def test_the_file_is_read_once(client_file, path):
    path.unlink()
    assert ask(client_file)[0].body == SCRIPT


def test_an_empty_file_is_a_file(tmp_path):
    path = tmp_path / "empty.js"
    path.touch()
    assert ask(ClientFile(path))[0].body == b""


def test_the_tag_belongs_to_the_contents_and_to_their_form(path, tmp_path):
    other = tmp_path / "other.js"
    other.write_bytes(SCRIPT + b" ")
    plain, again, different = map(tag_of, map(ClientFile, (path, path, other)))
    assert plain == again != different
    packed = tag_of(ClientFile(path), accept_encoding="gzip")
    assert packed not in (plain, different)


def test_compression_gives_the_same_bytes_each_time(path):
    one, two = (ask(ClientFile(path), accept_encoding="gzip")[0].body for _ in range(2))
    assert one == two


# -- compression -----------------------------------------------------------------------------

PACKED = [
    *["gzip", "gzip, deflate, br", "br,gzip", "GZip", "x-gzip", "X-GZIP;q=0.5", "*", "*;q=0.1"],
    *["gzip;q=1", "gzip;q=0.001", "gzip; q=0.5, identity", "gzip ; q=1.0", "deflate;q=0, *"],
    *["gzip, *;q=0", "*;q=0, gzip", "* ; q=0 , gzip", "identity;q=0, gzip", " gzip ", ",gzip,"],
]

PLAIN = [
    *["", " ", ",", "identity", "deflate, br", "gzipped", "xgzip", "agzip", "gzip-x", "q=1"],
    *["gzip;q=0", "gzip; q=0", "gzip ;q=0", "gzip;q=0.0", "gzip;q=0.000", "gzip;q=0.", "GZIP;Q=0"],
    *["x-gzip;q=0", "*;q=0", "* ; q=0.0", "identity, *;q=0", "*, gzip;q=0", "gzip;q=0, *"],
    *["gzip;q=0, *;q=0", "deflate, gzip;q=0, *;q=0.5"],
]


@pytest.mark.parametrize("accepted", PACKED)
def test_who_accepts_gzip_gets_it(client_file, accepted):
    response, headers = ask(client_file, accept_encoding=accepted)
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Content-Type"] == "application/javascript; charset=utf-8"
    assert gzip.decompress(response.body) == SCRIPT
    assert len(response.body) < len(SCRIPT)


@pytest.mark.parametrize("accepted", PLAIN)
def test_who_does_not_gets_the_file_as_it_is(client_file, accepted):
    response, headers = ask(client_file, accept_encoding=accepted)
    assert "Content-Encoding" not in headers
    assert response.body == SCRIPT


@pytest.mark.parametrize("accepted", ["", "gzip"])
def test_a_cache_is_told_what_the_answer_depends_on(client_file, accepted):
    assert ask(client_file, accept_encoding=accepted)[1]["Vary"] == "Accept-Encoding"


# -- questions about a copy ------------------------------------------------------------------


@pytest.mark.parametrize(
    "template",
    ["{}", "W/{}", '"other", {}', '{},"other"', 'W/"a" , W/{}', '"", {}', " {} ", "*", " * "],
)
@pytest.mark.parametrize("accepted", ["", "gzip"])
def test_who_has_the_file_is_told_so_without_a_body(client_file, template, accepted):
    wanted = template.format(tag_of(client_file, accept_encoding=accepted))
    response, headers = ask(client_file, accept_encoding=accepted, if_none_match=wanted)
    assert (response.status, response.body) == ("304 Not Modified", b"")
    assert headers == {
        "ETag": tag_of(client_file, accept_encoding=accepted),
        "Cache-Control": "public, max-age=3600",
        "Vary": "Accept-Encoding",
    }


@pytest.mark.parametrize(
    "template",
    [
        "",
        '""',
        '"other"',
        'W/"other", "another"',
        '"{}',
        '{}"',
        "{}",
        '"{}x"',
        '"x{}"',
        "**",
        '"*"',
    ],
)
def test_who_has_another_file_gets_this_one(client_file, template):
    wanted = template.format(tag_of(client_file).strip('"'))
    response, _ = ask(client_file, if_none_match=wanted)
    assert (response.status, response.body) == ("200 OK", SCRIPT)


@pytest.mark.parametrize(("had", "accepted"), [("gzip", ""), ("", "gzip")])
def test_a_copy_in_the_other_form_does_not_count(client_file, had, accepted):
    tag = tag_of(client_file, accept_encoding=had)
    response, _ = ask(client_file, accept_encoding=accepted, if_none_match=tag)
    assert response.status == "200 OK"


# -- methods ---------------------------------------------------------------------------------


def test_head_is_answered_as_get_for_the_server_leaves_the_body_out(client_file):
    assert ask(client_file, "HEAD") == ask(client_file, "GET")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get", ""])
def test_other_methods_are_refused(client_file, method):
    response, headers = ask(client_file, method, if_none_match="*")
    assert response.status == "405 Method Not Allowed"
    assert headers == {"Content-Type": "text/plain; charset=UTF-8", "Allow": "GET, HEAD"}
    assert response.body == b"use GET or HEAD"


# -- no file ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (Path("/nonexistent/socket.io.js"), "'/nonexistent/socket.io.js'"),
        ("nonexistent.js", "'nonexistent.js'"),
        ("/", "'/'"),
        ("", "''"),
        ("socket\x00io.js", r"'socket\x00io.js'"),
        (None, "'None'"),
        (5, "'5'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_field_and_the_path(path, named):
    with pytest.raises(ConfigError) as caught:
        ClientFile(path)
    assert str(caught.value).startswith(f"client_js: {named} cannot be read: ")
    assert caught.value.__suppress_context__


# -- through a server ------------------------------------------------------------------------


def test_a_server_serves_it_and_keeps_to_http(path):
    with serving({}, client_js=path) as server:
        whole = fetch(server, "GET", URL)
        assert (whole.status, whole.body) == (200, SCRIPT)
        head = fetch(server, "HEAD", URL)
        assert (head.status, head.body) == (200, b"")
        for headers in (whole.headers, head.headers):
            assert headers["content-length"] == str(len(SCRIPT))
            assert headers["etag"] == whole.headers["etag"]
        # The end of the connection is the end of the answer: that has no length.
        headers = {"If_None_Match": whole.headers["etag"], "Connection": "close"}
        same = fetch(server, "GET", URL, **headers)
        assert (same.status, same.body) == (304, b"")
        assert same.headers["etag"] == whole.headers["etag"]
        assert not {"content-type", "content-length", "transfer-encoding"} & set(same.headers)
        assert fetch(server, "DELETE", URL).headers["allow"] == "GET, HEAD"
