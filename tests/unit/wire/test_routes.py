"""Which URLs are ours (sections 1, 15.3 and 17 of the protocol text)."""

import pytest

from socketio.wire.routes import (
    ClientFile,
    Disconnect,
    Exchange,
    Handshake,
    NewerClient,
    WrongVersion,
    jsonp_index,
    match_route,
)

SID = "314159265358979323846264338327950288419"

ROUTES = [
    ("/socket.io/1", Handshake(None)),
    ("/socket.io/1/", Handshake(None)),
    ("/socket.io/01/", Handshake(None)),
    ("/socket.io/1.0/", Handshake(None)),
    ("/socket.io/1.", Handshake(None)),
    (f"/socket.io/1/xhr-polling/{SID}", Exchange("xhr-polling", SID)),
    (f"/socket.io/1/xhr-polling/{SID}/", Exchange("xhr-polling", SID)),
    (f"/socket.io/01.0/websocket/{SID}", Exchange("websocket", SID)),
    # A transport we do not know is an error, not the application's URL: 400.
    (f"/socket.io/1/carrier-pigeon/{SID}", Exchange("carrier-pigeon", SID)),
    (f"/socket.io/1/XHR-Polling/{SID}", Exchange("XHR-Polling", SID)),
    (f"/socket.io/1//{SID}/", Exchange("", SID)),
    ("/socket.io/1/websocket/../", Exchange("websocket", "..")),
    ("/socket.io/2", WrongVersion("2")),
    ("/socket.io/2/", WrongVersion("2")),
    (f"/socket.io/2/xhr-polling/{SID}", WrongVersion("2")),
    ("/socket.io/0/", WrongVersion("0")),
    ("/socket.io/10/", WrongVersion("10")),
    ("/socket.io/1.5/", WrongVersion("1.5")),
    ("/socket.io/1.01/", WrongVersion("1.01")),
    ("/socket.io/" + "9" * 50 + "/", WrongVersion("9" * 50)),
]

NOT_OURS = [
    *["", "/", "/socket.io", "/socket.io/", "/socket.ioX/1/", "/x/socket.io/1/", "//socket.io/1/"],
    *["socket.io/1/", "/Socket.IO/1/", "/socket.io//1/", "/socket.io/./1/", "/socket.io/abc/def"],
    *["/socket.io/static/x.js", "/socket.io/socket.io.min.js", "/socket.io/-1/", "/socket.io/+1/"],
    *["/socket.io/ 1/", "/socket.io/1 /", "/socket.io/1\n/", "/socket.io/1\n", "/socket.io/0x1/"],
    *["/socket.io/\u0661/", "/socket.io/\uff11/", "/socket.io/1.0.0/", "/socket.io/1,0/"],
    *["/socket.io/1/xhr-polling", "/socket.io/1/xhr-polling/", "/socket.io/1//"],
    *[f"/socket.io/1/xhr-polling/{SID}/more", f"/socket.io/1/xhr-polling/{SID}//"],
    *[f"/socket.io/1/xhr-polling//{SID}", f"/socket.io/any/thing/1/xhr-polling/{SID}"],
    # An empty session id would make a session without a handshake.
    *["/socket.io/1/xhr-polling//", "/socket.io/1///", "/socket.io/1/websocket//"],
]


@pytest.mark.parametrize(("path", "route"), ROUTES)
def test_a_url_of_ours_is_understood(path, route):
    assert match_route(path, "", "socket.io") == route


@pytest.mark.parametrize("path", NOT_OURS)
@pytest.mark.parametrize("query", ["", "disconnect=1", "jsonp=1"])
def test_any_other_url_belongs_to_the_application(path, query):
    assert match_route(path, query, "socket.io") is None


@pytest.mark.parametrize(
    "query", ["disconnect", "disconnect=", "disconnect=1", "t=1&disconnect", "a=b&disconnect=0&i=1"]
)
@pytest.mark.parametrize(
    ("path", "transport"),
    [
        (f"/socket.io/1//{SID}/", ""),
        (f"/socket.io/1//{SID}", ""),
        (f"/socket.io/1/xhr-polling/{SID}", "xhr-polling"),
        (f"/socket.io/1/websocket/{SID}/", "websocket"),
    ],
)
def test_the_key_disconnect_anywhere_in_the_query_ends_a_session(path, transport, query):
    assert match_route(path, query, "socket.io") == Disconnect(transport, SID)


@pytest.mark.parametrize(
    "query",
    ["", "t=1", "disconnected=1", "nodisconnect", "x=disconnect", "Disconnect=1", "x%26disconnect"],
)
def test_a_query_without_the_key_ends_nothing(query):
    assert match_route(f"/socket.io/1/websocket/{SID}", query, "socket.io") == Exchange(
        "websocket", SID
    )


@pytest.mark.parametrize(
    ("keys", "found"), [(100, True), (101, False), (100_000, False)], ids=["100", "101", "many"]
)
def test_a_query_with_more_than_a_hundred_keys_is_taken_for_none(keys, found):
    query = "&".join(["disconnect=1", "jsonp=1", *["k="] * (keys - 2)])
    route = match_route(f"/socket.io/1/websocket/{SID}", query, "socket.io")
    assert route == (Disconnect if found else Exchange)("websocket", SID)
    assert match_route("/socket.io/1/", query, "socket.io") == Handshake("1" if found else None)


def test_disconnect_does_not_turn_a_handshake_into_something_else():
    assert match_route("/socket.io/1/", "disconnect=1", "socket.io") == Handshake(None)


@pytest.mark.parametrize(
    ("resource", "path", "ours"),
    [
        ("v1/socket.io", "/v1/socket.io/1/", True),
        ("v1/socket.io", "/socket.io/1/", False),
        ("v1/socket.io", "/v1/1/", False),
        ("chat", "/chat/1/", True),
        ("chat", "/chatter/1/", False),
        ("a.c", "/abc/1/", False),  # a plain text, no regular expression
    ],
)
def test_the_resource_is_compared_as_it_stands(resource, path, ours):
    assert match_route(path, "", resource) == (Handshake(None) if ours else None)


CLIENT_FILES = {
    "/socket.io/socket.io.js": ClientFile(flash=False),
    "/socket.io/static/flashsocket/WebSocketMain.swf": ClientFile(flash=True),
    "/socket.io/static/flashsocket/WebSocketMainInsecure.swf": ClientFile(flash=True),
}

NO_CLIENT_FILE = [
    *["/socket.io.js", "/socket.io/socket.io.js/", "/socket.io//socket.io.js"],
    *["/socket.io/Socket.io.js", "/socket.io/socket.io.JS", "/socket.io/socketxio.js"],
    *["/socket.io/socket.io.min.js", "/socket.io/socket.io.v0.9.17.js", "/socket.io/socket.io.js~"],
    *["/socket.io/socket.io+websocket.js", "/socket.io/socket.io.js.map", "/socket.io/.js"],
    *["/socket.io/socket.io.js\n", "/socket.io/socket.io.js\x00", "/socket.io/socket.io.js "],
    *[
        "/socket.io/ socket.io.js",
        "/socket.io/\x00/socket.io.js",
        "/socket.io/socket.io.js\x00.png",
    ],
    *["/socket.io/socket.io.js?x", "/socket.io/socket.io.js;x", "/socket.io/socket.io.js#x"],
    *["/socket.io/./socket.io.js", "/socket.io/../socket.io/socket.io.js"],
    *[
        "/socket.io/../socket.io.js",
        "/socket.io/..\\socket.io.js",
        "/socket.io/%2e%2e/socket.io.js",
    ],
    *["/socket.io/socket.io.js/../socket.io.js", "/socket.io/socket.io.js/..", "/socket.io/.."],
    *["/socket.io/../../../../etc/passwd", "/socket.io//etc/passwd", "/socket.io/static"],
    *["/socket.io/static/", "/socket.io/static/socket.io.js", "/socket.io/static/../socket.io.js"],
    *["/socket.io/static/flashsocket/", "/socket.io/static/flashsocket/../../socket.io.js"],
    *["/socket.io/static/flashsocket/WebSocketMain.swf/", "/socket.io/WebSocketMain.swf"],
    *["/socket.io/static/flashsocket/websocketmain.swf", "/socket.io/static/WebSocketMain.swf"],
    *["/socket.io/static/flashsocket/./WebSocketMain.swf", "/socket.io/flashsocket/x.swf"],
    *["/socket.io/static/flashsocket/../flashsocket/WebSocketMain.swf"],
    *["/socket.io/static//flashsocket/WebSocketMain.swf", "/x/socket.io/socket.io.js"],
]


@pytest.mark.parametrize("query", ["", "t=1", "disconnect", "jsonp=1", "EIO=4"])
@pytest.mark.parametrize(("path", "route"), CLIENT_FILES.items())
def test_the_files_of_the_client_have_one_path_each(path, route, query):
    assert match_route(path, query, "socket.io") == route


@pytest.mark.parametrize("path", NO_CLIENT_FILE)
def test_no_other_path_is_a_file(path):
    assert match_route(path, "", "socket.io") is None


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/socket.io/1/../socket.io.js", Exchange("..", "socket.io.js")),
        ("/socket.io/1/socket.io.js", None),
        ("/socket.io/1/../../socket.io.js", None),
        ("/socket.io/2/../socket.io.js", WrongVersion("2")),
    ],
)
def test_a_path_that_leaves_the_protocol_is_no_file_either(path, route):
    assert match_route(path, "", "socket.io") == route


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v1/chat/socket.io.js", ClientFile(flash=False)),
        ("/v1/chat/chat.js", None),
        ("/chat/socket.io.js", None),
        ("/socket.io/socket.io.js", None),
    ],
)
def test_the_files_are_below_the_resource(path, route):
    assert match_route(path, "", "v1/chat") == route


@pytest.mark.parametrize("path", ["/socket.io", "/socket.io/"])
@pytest.mark.parametrize(
    ("query", "version"),
    [
        ("EIO=4", "4"),
        ("EIO=3&transport=polling&t=Oabc", "3"),
        ("transport=websocket&EIO=4", "4"),
        ("EIO=3&EIO=4", "3"),
        ("EIO=", ""),
        ("EIO", ""),
        ("EIO=%0d%0ax", "\r\nx"),
        ("EIO=4" + "&k=" * 99, "4"),
    ],
)
def test_a_newer_client_is_known_by_its_query(path, query, version):
    assert match_route(path, query, "socket.io") == NewerClient(version)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/socket.io/", ""),
        ("/socket.io/", "eio=4"),
        ("/socket.io/", "xEIO=4"),
        ("/socket.io/", "x=EIO"),
        ("/socket.io/", "transport=polling"),
        ("/socket.io/", "EIO=4" + "&k=" * 100),
        ("/socket.io//", "EIO=4"),
        ("/socket.iox", "EIO=4"),
        ("/", "EIO=4"),
        ("/engine.io/", "EIO=4"),
        ("/socket.io/abc", "EIO=4"),
    ],
)
def test_what_is_no_newer_client_belongs_to_the_application(path, query):
    assert match_route(path, query, "socket.io") is None


def test_the_key_of_newer_clients_means_nothing_to_the_protocol_we_speak():
    assert match_route("/socket.io/1/", "EIO=4", "socket.io") == Handshake(None)
    assert match_route(f"/socket.io/1/websocket/{SID}", "EIO=4", "socket.io") == Exchange(
        "websocket", SID
    )


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("jsonp=0", "0"),
        ("jsonp=3", "3"),
        ("t=1&jsonp=12&x=y", "12"),
        ("jsonp=%33", "3"),
        ("jsonp=123456789012", "123456789012"),
        ("jsonp=1&jsonp=alert(1)", "1"),
        ("", None),
        ("i=1", None),
        ("jsonp", None),
        ("jsonp=", None),
        ("jsonp=1234567890123", None),
        ("jsonp=-1", None),
        ("jsonp=1.0", None),
        ("jsonp=0x1", None),
        ("jsonp=+1", None),
        ("jsonp=1%0a", None),
        ("jsonp=%D9%A1", None),
        ("jsonp=1];alert(1);[1", None),
        ("jsonp=alert(1)&jsonp=1", None),
        ("jsonp=</script>", None),
        ("jsonp=1%E2%80%A8", None),
        ("JSONP=1", None),
    ],
)
def test_only_a_few_digits_are_ever_echoed_into_a_script(query, index):
    assert jsonp_index(query, "jsonp") == index
    assert match_route("/socket.io/1/", query, "socket.io") == Handshake(index)


def test_the_index_of_a_poll_has_its_own_key():
    assert jsonp_index("jsonp=0&i=1", "i") == "1"


@pytest.mark.parametrize(
    ("route", "field"),
    [
        (Handshake(None), "jsonp"),
        (Exchange("a", "b"), "sessid"),
        (Disconnect("a", "b"), "sessid"),
        (WrongVersion("2"), "version"),
        (NewerClient("4"), "version"),
        (ClientFile(flash=False), "flash"),
    ],
)
def test_a_route_cannot_be_changed(route, field):
    with pytest.raises(AttributeError):
        setattr(route, field, "other")
