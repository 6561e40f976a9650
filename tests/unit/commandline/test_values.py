"""Command lines and environments, and what is understood."""

from __future__ import annotations

from typing import Any

import pytest

from socketio.commandline.listening import Address
from socketio.commandline.values import Command, parse_command
from socketio.errors import ConfigError
from socketio.options import KNOWN_OPTIONS


def understand(line: str, **environ: str) -> Command:
    return parse_command(line.split(), environ, "prog")


def refuse(capsys: Any, line: str, **environ: str) -> str:
    """Return the message of a command that is refused."""
    with pytest.raises(SystemExit) as caught:
        understand(line, **environ)
    assert caught.value.code == 2
    usage, message = capsys.readouterr().err.split("prog: error: ")
    assert usage == "usage: prog [OPTION ...] MODULE:APPLICATION\n"
    assert message.count("\n") == 1, "one line says it"
    return str(message.strip())


def test_an_application_alone_is_served_where_only_this_machine_can_see_it() -> None:
    command = understand("chat:app")
    assert command == Command(
        target="chat:app",
        address=Address("127.0.0.1", 8080),
        options={},
        sources={},
    )
    assert command.patch
    assert command.access_log
    assert not command.reload


@pytest.mark.parametrize(
    ("line", "environ", "address"),
    [
        ("--host 0.0.0.0", {}, ("0.0.0.0", 8080, None)),
        ("--port 0", {}, ("127.0.0.1", 0, None)),
        ("--host ::1 --port 65535", {}, ("::1", 65535, None)),
        ("--host [::1]", {}, ("::1", 8080, None)),
        ("--bind [::]:80", {}, ("::", 80, None)),
        ("--bind unix:/run/chat", {}, ("127.0.0.1", 8080, "/run/chat")),
        ("--unix /run/chat", {}, ("127.0.0.1", 8080, "/run/chat")),
        ("", {"SOCKETIO_PORT": " 81 "}, ("127.0.0.1", 81, None)),
        ("--host ::1", {"SOCKETIO_PORT": "81"}, ("::1", 81, None)),
        ("--port 82", {"SOCKETIO_PORT": "81"}, ("127.0.0.1", 82, None)),
        ("--bind :82", {"SOCKETIO_PORT": "81"}, ("", 82, None)),
        ("--port 82", {"SOCKETIO_BIND": ":81"}, ("127.0.0.1", 82, None)),
        ("", {"SOCKETIO_UNIX": "/run/chat"}, ("127.0.0.1", 8080, "/run/chat")),
    ],
)
def test_an_address_can_be_given_in_several_ways(
    line: str, environ: dict[str, str], address: tuple[str, int, str | None]
) -> None:
    found = understand(f"chat:app {line}", **environ).address
    assert (found.host, found.port, found.path) == address


def test_options_are_kept_as_they_were_given() -> None:
    command = understand(
        "chat:app --origins https://a.example,https://b.example --max-sessions=7 --strict-http",
        SOCKETIO_CLOSE_TIMEOUT="2.5",
        SOCKETIO_MAX_SESSIONS="9",
        SOCKETIO_POLICY_SERVER="no",
        SOCKETIO_RESOURCE="",
    )
    assert command.options == {
        "origins": "https://a.example,https://b.example",
        "max_sessions": "7",
        "strict_http": True,
        "close_timeout": "2.5",
        "policy_server": "no",
    }
    assert command.sources["max_sessions"] == "--max-sessions"
    assert command.sources["close_timeout"] == "SOCKETIO_CLOSE_TIMEOUT"


@pytest.mark.parametrize("name", [name for name in KNOWN_OPTIONS if name != "namespace"])
def test_every_option_of_the_server_is_one_of_the_command_and_of_the_environment(name: str) -> None:
    switch = name in ("policy_server", "strict_http")
    text = {
        "cert_reqs": "required",
        "slow_peer": "drop_oldest",
        "origins": "*",
        "trusted_proxies": "unix",
    }.get(name, "7")
    text = "[::1]:7" if name == "policy_listener" else "yes" if switch else text
    more = {} if name == "certfile" else {"SOCKETIO_CERTFILE": "x.pem"}
    flag = f"--{name.replace('_', '-')}"
    typed = understand(f"chat:app {flag}{'' if switch else f'={text}'}", **more)
    assert typed.options[name] == (True if switch else text)
    given = understand("chat:app", **more, **{f"SOCKETIO_{name.upper()}": text})
    assert given.options[name] == text


@pytest.mark.parametrize(
    "foreign",
    [
        {"SOCKETIO_PORT": "tcp://10.0.0.1:80", "SOCKETIO_PORT_80_TCP": "tcp://10.0.0.1:80"},
        {"SOCKETIO_SERVICE_HOST": "10.0.0.1", "SOCKETIO_SERVICE_PORT_HTTP": "80"},
        {"SOCKETIO_REDIS_URL": "redis://"},
    ],
)
def test_a_variable_that_is_not_for_us_is_left_alone(foreign: dict[str, str]) -> None:
    assert understand("chat:app", **foreign) == understand("chat:app")


def test_a_module_that_an_option_names_is_not_imported_yet() -> None:
    line = "chat:app --authorize nosuch:x --handler-class nosuch:x --slow-peer nosuch:x"
    assert set(understand(line).options) == {"authorize", "handler_class", "slow_peer"}


@pytest.mark.parametrize(
    ("line", "environ", "message"),
    [
        ("", {}, "the following arguments are required: MODULE:APPLICATION"),
        ("chat:app shop:app", {}, "one application at a time, not shop:app"),
        ("chat:app --orign=*", {}, "there is no option --orign; did you mean --origins?"),
        ("chat:app --zzz 1", {}, "there is no option --zzz"),
        ("chat:app --hos ::1", {}, "there is no option --hos; did you mean --host?"),
        ("chat:app --port", {}, "argument --port: expected one argument"),
        ("chat:app --port 65536", {}, "--port: '65536' is no number from 0 to 65535"),
        ("chat:app", {"SOCKETIO_PORT": "x"}, "SOCKETIO_PORT: 'x' is no number from 0 to 65535"),
        ("chat:app --bind 80", {}, "--bind: '80' is no HOST:PORT and no unix:PATH"),
        ("chat:app --bind :1 --port 2", {}, "--bind: give it or --port, not both"),
        ("chat:app --bind :1 --unix x", {}, "--unix: give it or --bind, not both"),
        ("chat:app --close-timeout 1x", {}, "--close-timeout: '1x' is no number"),
        (
            "chat:app --close-timeout 0",
            {},
            "--close-timeout: 0 is no positive number of seconds",
        ),
        (
            "chat:app",
            {"SOCKETIO_MAX_SESSIONS": "1.5"},
            "SOCKETIO_MAX_SESSIONS: 1.5 is no positive whole number",
        ),
        ("chat:app", {"SOCKETIO_STRICT_HTTP": "x"}, "SOCKETIO_STRICT_HTTP: 'x' is neither yes"),
        ("chat:app", {"SOCKETIO_ORIGNS": "*"}, "SOCKETIO_ORIGNS: there is no such option; did you"),
        ("chat:app --backlog x", {}, "--backlog: 'x' is no whole number"),
        ("chat:app --trusted-proxies x", {}, "--trusted-proxies: "),
        ("chat:app --origins a.example", {}, "--origins: "),
        ("chat:app --stop-timeout x", {}, "--stop-timeout: 'x' is no number"),
        ("chat:app --stop-timeout -1", {}, "--stop-timeout: '-1' is no number of seconds"),
        ("chat:app --stop-timeout none", {}, "--stop-timeout: 'none' is no number of seconds"),
        ("chat:app --log-level loud", {}, "--log-level: 'loud' is none of debug, info, warning"),
        ("chat:app --keyfile x", {}, "--keyfile: goes with --certfile only"),
        ("chat:app --no-access-log --log-file x", {}, "--log-file: there is no access log with"),
        ("chat:app --check --reload", {}, "--check: ends without serving"),
        ("chat:app --reload-dir .", {}, "--reload-dir: goes with --reload only"),
        (
            "chat:app --reload --reload-dir /nowhere",
            {},
            "--reload-dir: there is no directory '/nowhere'",
        ),
    ],
)
def test_what_means_nothing_is_refused_by_the_name_it_was_given_with(
    line: str, environ: dict[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refuse(capsys, line, **environ).startswith(message)


def test_what_other_programs_have_in_the_environment_is_none_of_ours() -> None:
    assert understand("chat:app", SOCKETIO_STICKY="1", SOCKETIO="x", PORT="9").options == {}


def test_the_stop_timeout_and_the_level_are_read() -> None:
    command = understand("chat:app --stop-timeout 0 --log-level DEBUG", SOCKETIO_LOG_LEVEL="x")
    assert command.stop_timeout == 0
    assert command.log_level == "debug"


def test_a_mistake_that_shows_later_has_its_name_too() -> None:
    command = understand("chat:app --transports x", SOCKETIO_RESOURCE="y")
    assert (
        command.blame(ConfigError("transports: 'x' is unknown")) == "--transports: 'x' is unknown"
    )
    assert command.blame(ConfigError("resource: no")) == "SOCKETIO_RESOURCE: no"
    assert command.blame(ConfigError("other: no")) == "other: no"


def test_the_socket_listens_with_the_backlog_that_is_asked_for() -> None:
    assert understand("chat:app").backlog is None
    assert understand("chat:app --backlog 7").backlog == 7
