"""The client file over HTTP: one name, one file, and no way from there to any other (F56)."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from socketio.errors import ConfigError
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from tests.client import Connection, PollingClient, fetch, serving

HERE = Path(__file__).resolve().parent
REAL = HERE.parent / "js" / "node_modules" / "socket.io-client" / "dist" / "socket.io.js"
URL = "/socket.io/socket.io.js"
PAGE = b"the application's page"


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answers everything, as an application with a page for every URL does."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Path", "application")])
    return [PAGE]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the 0.9.17 client where it is installed, else one of ours."""
    if REAL.is_file():
        return REAL
    path = tmp_path_factory.mktemp("client") / "socket.io.js"
    path.write_bytes("/*! Socket.IO.js build:0.9.17 */ var io = '\u2603';\n".encode() * 2000)
    return path


@pytest.fixture(scope="module")
def script(path: Path) -> bytes:
    return path.read_bytes()


@pytest.fixture(scope="module")
def server(path: Path) -> Iterator[SocketIOServer]:
    with serving(application, client_js=path) as server:
        yield server


# -- the file --------------------------------------------------------------------------------------


def test_the_file_arrives_as_it_is(server: SocketIOServer, script: bytes) -> None:
    answer = fetch(server, "GET", URL)
    assert (answer.status, answer.body) == (200, script)
    assert answer.headers["content-type"] == "application/javascript; charset=utf-8"
    assert answer.headers["content-length"] == str(len(script))
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert re.fullmatch('"[0-9a-f]{20}"', answer.headers["etag"])
    assert "content-encoding" not in answer.headers
    assert "set-cookie" not in answer.headers


def test_a_head_request_gets_the_header_alone(server: SocketIOServer, script: bytes) -> None:
    whole = fetch(server, "GET", URL)
    connection = Connection(server)
    head = connection.request("HEAD", URL)
    # Had there been a body, it would stand in front of the next answer.
    again = connection.request("GET", URL)
    connection.close()
    assert (head.status, again.status, again.body) == (200, 200, script)
    for name in ("etag", "content-type", "content-length", "cache-control", "vary"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br", "*", "GZIP;q=0.5", "x-gzip"])
def test_the_compressed_file_is_the_file(
    server: SocketIOServer, script: bytes, accepted: str
) -> None:
    answer = fetch(server, "GET", URL, Accept_Encoding=accepted)
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert len(answer.body) < len(script)
    assert gzip.decompress(answer.body) == script


@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0", "br", "", "*;q=0"])
def test_who_takes_no_gzip_gets_none(server: SocketIOServer, script: bytes, accepted: str) -> None:
    answer = fetch(server, "GET", URL, Accept_Encoding=accepted)
    assert "content-encoding" not in answer.headers
    assert answer.body == script


@pytest.mark.parametrize("accepted", ["", "gzip"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("form", ["{}", "W/{}", '"old", {}', "*"])
def test_a_browser_that_has_the_file_gets_no_body(
    server: SocketIOServer, accepted: str, method: str, form: str
) -> None:
    tag = fetch(server, "GET", URL, Accept_Encoding=accepted).headers["etag"]
    connection = Connection(server)
    headers = {"Accept-Encoding": accepted, "If-None-Match": form.format(tag)}
    connection.start(method, URL, headers=headers)
    answer = connection.read_answer(head=True)
    assert answer.status == 304
    assert answer.headers["etag"] == tag
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "content-length" not in answer.headers
    # A 304 ends with its header: what comes next is the next answer.
    assert connection.request("GET", URL).status == 200
    connection.close()


@pytest.mark.parametrize("tag", ['"old"', "old", "", '"', 'W/"0"'])
def test_a_browser_that_has_another_file_gets_this_one(server: SocketIOServer, tag: str) -> None:
    assert fetch(server, "GET", URL, If_None_Match=tag).status == 200


def test_a_query_does_not_matter(server: SocketIOServer, script: bytes) -> None:
    for query in ("?", "?v=1", "?t=1700000000000", "?disconnect=1", "?jsonp=1", "?EIO=3", "?" * 50):
        answer = fetch(server, "GET", URL + query)
        assert (answer.status, answer.body) == (200, script)
    assert not server.sockets


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_can_be_done_to_it_but_read_it(server: SocketIOServer, method: str) -> None:
    answer = fetch(server, method, URL)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_any_page_may_load_the_script_and_none_learns_more_by_it(
    server: SocketIOServer, script: bytes, origin: str
) -> None:
    answer = fetch(server, "GET", URL, Origin=origin)
    assert (answer.status, answer.body) == (200, script)
    assert "access-control-allow-credentials" not in answer.headers


def test_many_requests_on_one_connection_get_it_each_time(
    server: SocketIOServer, script: bytes
) -> None:
    connection = Connection(server)
    for _ in range(20):
        assert connection.request("GET", URL).body == script
    connection.close()


@pytest.mark.parametrize("resource", ["socket.io", "api/v1/live", "/rt/", "a.b", "1"])
def test_it_is_below_the_resource_of_the_server(path: Path, script: bytes, resource: str) -> None:
    with serving(application, client_js=path, resource=resource) as server:
        answer = fetch(server, "GET", f"/{resource.strip('/')}/socket.io.js")
        assert (answer.status, answer.body) == (200, script)
        if resource != "socket.io":
            assert fetch(server, "GET", URL).body == PAGE


def test_a_session_beside_it_is_not_disturbed(path: Path, script: bytes) -> None:
    with serving({"": BaseNamespace}, client_js=path) as server:
        client = PollingClient(server).open()
        assert fetch(server, "GET", URL).body == script
        client.send("3:1::x")
        assert client.recv() == "6:::1"
        assert len(server.sockets) == 1
        client.close()


def test_it_is_served_while_the_server_is_full(path: Path, script: bytes) -> None:
    with serving(application, client_js=path, max_sessions=1) as server:
        assert fetch(server, "GET", "/socket.io/1/").status == 200
        assert fetch(server, "GET", "/socket.io/1/").status == 503
        assert fetch(server, "GET", URL).body == script


def test_the_file_may_change_and_go_while_the_server_runs(tmp_path: Path) -> None:
    path = tmp_path / "client.js"
    path.write_bytes(b"var io;")
    with serving(application, client_js=path) as server:
        path.write_bytes(b"var other;")
        assert fetch(server, "GET", URL).body == b"var io;"
        path.unlink()
        assert fetch(server, "GET", URL).body == b"var io;"


# -- no file ---------------------------------------------------------------------------------------


def test_without_a_file_the_answer_says_what_to_set() -> None:
    with serving(application) as server:
        for method in ("GET", "POST"):
            answer = fetch(server, method, URL)
            assert answer.status == 404
            assert "client_js=" in answer.text
            assert "socket.io-client@0.9.17" in answer.text
            assert "\n" not in answer.text
            assert answer.headers["content-type"].startswith("text/plain")


def test_false_leaves_the_url_to_the_application() -> None:
    with serving(application, client_js=False) as server:
        for target in (URL, "/socket.io/static/flashsocket/WebSocketMain.swf"):
            answer = fetch(server, "GET", target)
            assert (answer.status, answer.body) == (200, PAGE)
        assert fetch(server, "GET", "/socket.io/1/").text.endswith("xhr-multipart")


@pytest.mark.parametrize(
    "wrong", ["/nonexistent/socket.io.js", Path("nonexistent.js"), "/", ".", "a\x00b", 5, b"\xff"]
)
def test_a_path_that_cannot_be_read_is_an_error_when_the_server_is_made(wrong: Any) -> None:
    with pytest.raises(ConfigError, match=r"client_js: .* cannot be read"):
        SocketIOServer(("127.0.0.1", 0), application, client_js=wrong)


@pytest.mark.parametrize("name", ["WebSocketMain.swf", "WebSocketMainInsecure.swf"])
@pytest.mark.parametrize("configured", [True, False])
def test_the_flash_files_are_not_there(path: Path, name: str, configured: bool) -> None:
    with serving(application, client_js=path if configured else None) as server:
        answer = fetch(server, "GET", f"/socket.io/static/flashsocket/{name}")
        assert answer.status == 404
        assert "websocket" in answer.text


# -- paths that lead elsewhere ---------------------------------------------------------------------

TRAVERSALS = [
    "/socket.io/../socket.io.js",
    "/socket.io/../../etc/passwd",
    "/socket.io/../../../../../../../../etc/passwd",
    "/socket.io/socket.io.js/../../../etc/passwd",
    "/socket.io/socket.io.js/..",
    "/socket.io/socket.io.js/.",
    "/socket.io/./socket.io.js",
    "/socket.io/.//socket.io.js",
    "/socket.io/..",
    "/socket.io/.",
    "/socket.io/.../socket.io.js",
    "/socket.io/....//....//etc/passwd",
    "/socket.io/%2e%2e/socket.io.js",
    "/socket.io/%2e%2e/%2e%2e/etc/passwd",
    "/socket.io/%2E%2E%2F%2E%2E%2Fetc%2Fpasswd",
    "/socket.io/..%2f..%2fetc/passwd",
    "/socket.io/.%2e/.%2e/etc/passwd",
    "/socket.io/%252e%252e/%252e%252e/etc/passwd",
    "/socket.io/%252e%252e%252fsocket.io.js",
    "/socket.io/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
    "/socket.io/%c0%af..%c0%afetc/passwd",
    "/socket.io/%e0%80%ae%e0%80%ae/etc/passwd",
    "/socket.io/%uff0e%uff0e/etc/passwd",
    "/socket.io/socket.io.js%00",
    "/socket.io/socket.io.js%00.swf",
    "/socket.io/%00socket.io.js",
    "/socket.io/etc/passwd%00socket.io.js",
    "/socket.io/../etc/passwd%00/socket.io.js",
    "/socket.io//etc/passwd",
    "/socket.io///etc/passwd",
    "/socket.io/%2fetc%2fpasswd",
    "/socket.io//socket.io.js",
    "/socket.io///socket.io.js",
    "//socket.io/socket.io.js",
    "/socket.io/socket.io.js/",
    "/socket.io/socket.io.js//",
    "/socket.io/..\\..\\etc\\passwd",
    "/socket.io/..%5c..%5cetc%5cpasswd",
    "/socket.io\\socket.io.js",
    "/socket.io/%5c%5cserver%5cshare",
    "/socket.io/C:%5cwindows%5cwin.ini",
    "/socket.io/C:/windows/win.ini",
    "/socket.io/socket.io.js.",
    "/socket.io/socket.io.js..",
    "/socket.io/socket.io.js...",
    "/socket.io/socket.io.js%20",
    "/socket.io/socket.io.js%09",
    "/socket.io/socket.io.js%0d%0aX-Injected:%201",
    "/socket.io/socket.io.js::$DATA",
    "/socket.io/socket.io.js;x=1",
    "/socket.io/SOCKET.IO.JS",
    "/socket.io/Socket.io.js",
    "/SOCKET.IO/socket.io.js",
    "/socket.io/socket.io.js~",
    "/socket.io/.socket.io.js.swp",
    "/socket.io/socket.io.js.map",
    "/socket.io/socket.io.min.js",
    "/socket.io/socket.io.v0.9.17.js",
    "/socket.io/socket.io+websocket.js",
    "/socket.io/socket.io%ef%bc%8ejs",
    "/socket.io/~root/.ssh/id_rsa",
    "/socket.io/$HOME/.profile",
    "/socket.io/%24%7bHOME%7d",
    "/socket.io/file:///etc/passwd",
    "/socket.io/http://evil.example/x.js",
    "/socket.io/static/flashsocket/../../socket.io.js",
    "/socket.io/static/flashsocket/",
    "/socket.io/static/flashsocket",
    "/socket.io/static/../../../etc/passwd",
    "/socket.io/static/flashsocket/WebSocketMain.swf/..",
    "/socket.io/static/flashsocket/WebSocketMain.swf%00",
    "/socket.io/static/flashsocket/..%2f..%2fsocket.io.js",
    "/socket.io/proc/self/environ",
    "/socket.io/" + "../" * 2000 + "etc/passwd",
    "/socket.io/" + "%2e%2e%2f" * 800 + "etc/passwd",
    "/socket.io/" + "a" * 5000,
]


def short(target: str) -> str:
    return target.encode("unicode_escape").decode()[:60]


@pytest.mark.parametrize("configured", [True, False])
@pytest.mark.parametrize("target", TRAVERSALS, ids=short)
def test_no_other_path_reads_a_file_or_makes_a_session(
    server: SocketIOServer,
    script: bytes,
    target: str,
    configured: bool,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    # The path of the file that is served must not make a difference.
    if configured:
        answers = [fetch(server, method, target) for method in ("GET", "POST")]
        check(server, answers, script)
    else:
        with serving(application) as bare:
            check(bare, [fetch(bare, "GET", target)], script)
    assert "Traceback" not in caplog.text
    assert "Traceback" not in capfd.readouterr().err


def check(server: SocketIOServer, answers: list[Any], script: bytes) -> None:
    for answer in answers:
        # Ours to refuse, pywsgi's, or the application's to answer: but nothing of a disk.
        assert answer.status in (200, 400, 404, 414)
        assert answer.status != 200 or answer.body == PAGE
        assert b"root:" not in answer.body
        assert answer.body[:200] != script[:200]
        assert len(answer.body) < 500
        assert "x-injected" not in answer.headers
        assert "etag" not in answer.headers
    assert not server.sockets
    assert not server._pending


def test_there_are_enough_of_these_paths() -> None:
    assert len(set(TRAVERSALS)) >= 50


def test_a_path_given_with_its_host_is_the_same_path(server: SocketIOServer, script: bytes) -> None:
    answer = fetch(server, "GET", f"http://127.0.0.1:{server.server_port}{URL}")
    assert answer.status in (200, 400)
    assert answer.status != 200 or answer.body in (script, PAGE)


@pytest.mark.parametrize(
    "target",
    [
        "/socket.io/1/socket.io.js",
        "/socket.io/1/socket.io.js/",
        "/socket.io/socket.io.js/1/",
        "/socket.io/socket.io.js/1/xhr-polling/123",
        "/socket.io/1/socket.io.js/123/4",
        "/socket.io/socket.io.js/socket.io.js",
        "/socket.io/socket.io/socket.io.js",
    ],
)
def test_a_path_with_the_name_of_the_file_in_another_place_is_the_application_s(
    server: SocketIOServer, target: str
) -> None:
    answer = fetch(server, "GET", target)
    assert (answer.status, answer.body) == (200, PAGE)
    assert not server.sockets


def test_the_name_of_the_file_is_no_transport(server: SocketIOServer) -> None:
    answer = fetch(server, "GET", "/socket.io/1/socket.io.js/123")
    assert answer.status == 400
    assert "transport not available here" in answer.text


def test_an_upgrade_of_the_file_is_none(server: SocketIOServer) -> None:
    answer = fetch(
        server,
        "GET",
        URL,
        Connection="Upgrade",
        Upgrade="websocket",
        Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==",
        Sec_WebSocket_Version="13",
    )
    assert answer.status in (200, 400)
    assert not server.sockets
