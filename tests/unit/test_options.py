"""Options as text: what .ini files, the environment and command lines say."""

import inspect
import logging
import ssl

import pytest

from socketio.config import Settings
from socketio.errors import ConfigError, UnknownOptionError
from socketio.handler import SocketIOHandler
from socketio.options import KNOWN_OPTIONS, UNPARSED_OPTIONS, parse_options
from socketio.server import SocketIOServer


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("resource", " v1/socket.io ", "v1/socket.io"),
        ("transports", "websocket, xhr-polling", ["websocket", "xhr-polling"]),
        ("origins", "https://a.example,,http://b.example:81 ", None),
        ("origins", "*", ["*"]),
        ("trusted_proxies", "127.0.0.1, 10.0.0.0/8", ["127.0.0.1", "10.0.0.0/8"]),
        ("authorize", "logging:getLogger", logging.getLogger),
        ("authorize", " logging:Logger.info ", logging.Logger.info),
        ("handler_class", "socketio.handler:SocketIOHandler", SocketIOHandler),
        ("slow_peer", "drop_oldest", "drop_oldest"),
        ("slow_peer", "logging:getLogger", logging.getLogger),
        ("client_js", "/srv/socket.io.js", "/srv/socket.io.js"),
        ("client_js", "False", False),
        ("client_js", "none", None),
        ("client_js", "", None),
        ("transports", "", None),
        ("origins", " none ", None),
        ("trusted_proxies", "None", None),
        ("log_file", " /var/log/x ", "/var/log/x"),
        ("log_file", "None", None),
        ("strict_http", "off", False),
        ("strict_http", "Yes", True),
        ("policy_server", "1", True),
        ("policy_server", "disable", False),
        ("policy_listener", "0.0.0.0:10843", ("0.0.0.0", 10843)),
        ("policy_listener", "[::1]:843", ("::1", 843)),
        ("backlog", "7", 7),
        ("cert_reqs", "Required", ssl.CERT_REQUIRED),
        ("cert_reqs", "none", ssl.CERT_NONE),
        ("heartbeat_interval", "12.5", 12.5),
        ("max_sessions", "none", None),
        ("max_sessions", "12", 12),
    ],
)
def test_text_becomes_what_it_stands_for(name, text, value):
    expected = ["https://a.example", "http://b.example:81"] if ",," in text else value
    assert parse_options({name: text}) == {name: expected}


def test_what_is_no_text_passes_unchanged():
    values = {"origins": ("*",), "authorize": print, "strict_http": False, "backlog": 3}
    assert parse_options(values) == values


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("resource", " "),
        ("resource", "/"),
        ("origins", "example.com"),
        ("trusted_proxies", "proxy.example"),
        ("authorize", "no_such_module_here:check"),
        ("authorize", "logging:no_such_name"),
        ("strict_http", "maybe"),
        ("policy_server", "treu"),
        ("policy_listener", "10843"),
        ("policy_listener", "host:70000"),
        ("policy_listener", "host:"),
        ("policy_listener", "host:" + "9" * 5000),
        ("strict_http", ""),
        ("strict_http", "none"),
        ("spawn", "0"),
        ("spawn", "-1"),
        ("backlog", "\N{ARABIC-INDIC DIGIT THREE}"),
        ("backlog", "many"),
        ("cert_reqs", "maybe"),
        ("heartbeat_interval", "soon"),
        ("heartbeat_interval", "-1"),
        ("heartbeat_timeout", "nan"),
        ("max_sessions", "1.5"),
        ("max_body_size", "none"),
        ("slow_peer", "ignore"),
    ],
)
def test_what_means_nothing_is_refused_by_its_name(name, text):
    with pytest.raises(ConfigError, match=f"^{name}: ") as caught:
        parse_options({"resource": "socket.io", name: text})
    assert text.strip().lower()[:40] in str(caught.value).lower()


@pytest.mark.parametrize(
    ("name", "meant"),
    [("heartbeat_intervall", "heartbeat_interval"), ("origin", "origins"), ("clock", None)],
)
def test_an_unknown_name_is_refused_with_the_one_that_was_meant(name, meant):
    with pytest.raises(UnknownOptionError, match=f"^{name}: there is no option '{name}'") as caught:
        parse_options({name: "1"})
    assert ("did you mean" in str(caught.value)) is (meant is not None)
    assert meant is None or f"did you mean '{meant}'" in str(caught.value)


def test_every_argument_of_a_server_is_an_option_or_has_no_text():
    of_the_server = set(inspect.signature(SocketIOServer).parameters)
    of_the_server -= {"listener", "application", "args", "kwargs"}
    known = {*KNOWN_OPTIONS, *UNPARSED_OPTIONS}
    assert of_the_server <= known
    assert set(Settings.__dataclass_fields__) <= set(KNOWN_OPTIONS)
    assert not set(KNOWN_OPTIONS) & set(UNPARSED_OPTIONS)
