"""The pieces of the gunicorn workers that need no gunicorn under way."""

from __future__ import annotations

import importlib
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from socketio.errors import ConfigError
from socketio.handler import SocketIOHandler
from socketio.options import KNOWN_OPTIONS
from socketio.server import SocketIOServer
from tests.tools import missing

try:
    sgunicorn = importlib.import_module("socketio.sgunicorn")
except ImportError:
    missing("gunicorn")
settings = importlib.import_module("socketio.sgunicorn.settings")
workers = importlib.import_module("socketio.sgunicorn.workers")

Worker = sgunicorn.GeventSocketIOWorker


def options(worker: Any = Worker, importing: bool = True, **environ: str) -> dict[str, Any]:
    found: dict[str, Any] = settings.read_options(worker, environ, importing=importing)
    return found


# -- settings --------------------------------------------------------------------------------------


def test_a_worker_says_what_it_has_and_nothing_else():
    assert options() == {"resource": "socket.io", "policy_server": False}
    assert options(sgunicorn.NginxGeventSocketIOWorker)["transports"] == ("xhr-polling",)


def test_any_option_can_be_a_class_attribute_as_text_or_as_it_is():
    class Own(Worker):
        heartbeat_interval = 7
        close_timeout = "8.5"
        transports = "websocket, xhr-polling"
        strict_http = "no"
        max_sessions = None
        log = "not an option for this server"

    assert options(Own) == {
        "resource": "socket.io",
        "transports": ["websocket", "xhr-polling"],
        "strict_http": False,
        "policy_server": False,
        "heartbeat_interval": 7,
        "close_timeout": 8.5,
    }


def test_a_function_in_a_worker_class_decides_who_may_come():
    def check(environ: Any) -> bool:
        return False

    class Own(Worker):
        authorize = check

    assert options(Own, importing=False)["authorize"] is check


@pytest.mark.parametrize("name", [name for name in KNOWN_OPTIONS if name not in settings._INSTEAD])
def test_every_option_that_is_not_gunicorns_has_a_variable(name: str):
    with pytest.raises(ConfigError) as caught:  # or a value that is fine
        options(**{f"SOCKETIO_{name.upper()}": "?"})
        raise ConfigError(f"SOCKETIO_{name.upper()}: fine")
    assert str(caught.value).startswith(f"SOCKETIO_{name.upper()}: ")
    assert options(**{f"SOCKETIO_{name.upper()}": " "}) == options()


def test_what_is_gunicorns_is_refused_and_named():
    for name, instead in settings._INSTEAD.items():
        assert name in KNOWN_OPTIONS
        with pytest.raises(
            ConfigError, match=f"^SOCKETIO_{name.upper()}: not under gunicorn; "
        ) as e:
            options(**{f"SOCKETIO_{name.upper()}": "x"})
        assert str(e.value).endswith(instead)


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("SOCKETIO_TRANSPORT", "; did you mean SOCKETIO_TRANSPORTS?"),
        ("SOCKETIO_STICK", "; did you mean SOCKETIO_STICKY?"),
        ("SOCKETIO_transports", "; did you mean SOCKETIO_TRANSPORTS?"),
        ("SOCKETIO_HEARTBEATINTERVAL", "; did you mean SOCKETIO_HEARTBEAT_INTERVAL?"),
    ],
)
def test_a_mistyped_variable_is_refused_even_when_it_is_empty(variable: str, hint: str):
    with pytest.raises(ConfigError) as caught:
        options(**{variable: ""})
    assert str(caught.value) == f"{variable}: there is no such option{hint}"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SOCKETIO_PORT", "tcp://10.0.0.1:80"),  # of Kubernetes, for a service of that name
        ("SOCKETIO_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("SOCKETIO_SERVICE_HOST", "10.0.0.1"),
        ("SOCKETIO_REDIS_URL", "redis://"),  # of an application
        ("SOCKETIO_", "x"),
    ],
)
def test_a_variable_that_is_not_for_us_is_left_alone(variable: str, value: str):
    assert options(**{variable: value}) == options()


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("SOCKETIO_CLOSE_TIMEOUT", "-5", "-5 is no positive number of seconds"),
        ("SOCKETIO_ORIGINS", "good.example", "'good.example' is no origin"),
        ("SOCKETIO_TRUSTED_PROXIES", "proxy", "'proxy' is no address"),
        ("SOCKETIO_TRANSPORTS", ",", "the list is empty"),
        ("SOCKETIO_TRANSPORTS", "websocket,pigeon", "'pigeon' is unknown; known are "),
        ("SOCKETIO_POLICY_LISTENER", "here", "'here' is no HOST:PORT"),
        ("POLICY_SERVER", "perhaps", "'perhaps' is neither yes nor no"),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_the_variable(
    variable: str, value: str, message: str
):
    with pytest.raises(ConfigError) as caught:
        options(importing=False, **{variable: value})
    assert str(caught.value).startswith(f"{variable}: {message}")


def test_variables_of_others_are_left_alone():
    assert options(SOCKET="1", socketio_transports="x", MY_SOCKETIO_TRANSPORTS="y") == options()


def test_the_policy_server_has_its_old_variable_and_ours_goes_before_it():
    assert options(POLICY_SERVER="yes")["policy_server"] is True
    assert options(POLICY_SERVER="yes", SOCKETIO_POLICY_SERVER="no")["policy_server"] is False


def test_a_module_is_imported_only_where_it_may_be():
    named = {"SOCKETIO_AUTHORIZE": "nowhere:nobody", "SOCKETIO_SLOW_PEER": "nowhere:nobody"}
    assert options(importing=False, **named) == options()
    for name, value in named.items():
        with pytest.raises(ConfigError, match=f"^{name}: 'nowhere:nobody' cannot be imported"):
            options(**{name: value})


@pytest.mark.parametrize(
    ("text", "sticky"), [("1", True), ("yes", True), ("off", False), ("", True)]
)
def test_the_environment_says_whether_routing_is_sticky(text: str, sticky: bool):
    class Own(Worker):
        sticky = True

    assert settings.is_sticky(Own, {"SOCKETIO_STICKY": text}) is sticky
    assert settings.is_sticky(Worker, {}) is False


# -- the check before the first worker -------------------------------------------------------------


class Lines:
    """A log of gunicorn's."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __getattr__(self, level: str) -> Any:
        return lambda text, *args: self.lines.append(f"{level}: {text % args}")


def check(monkeypatch: pytest.MonkeyPatch, worker: Any = Worker, **cfg: Any) -> list[str]:
    """Have the check run over settings of gunicorn; returns what it logs."""
    for name in ("SOCKETIO_STICKY", "POLICY_SERVER"):
        monkeypatch.delenv(name, raising=False)
    log = Lines()
    try:
        worker.check_config(SimpleNamespace(**{"workers": 1, "preload_app": False, **cfg}), log)
    except SystemExit as exc:
        log.lines.append(f"exit {exc.code}")
    return log.lines


def test_good_settings_are_worth_no_word(monkeypatch: pytest.MonkeyPatch):
    quiet = {"http_protocols": ["h1"], "proxy_protocol": "off"}
    assert check(monkeypatch) == check(monkeypatch, **quiet) == []
    assert check(monkeypatch, proxy_protocol=False) == []


def test_several_workers_and_an_unpatched_preload_are_warned_of(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workers.monkey, "is_module_patched", lambda name: False)
    (several, preload) = check(monkeypatch, workers=3, preload_app=True)
    assert several.startswith("warning: 3 workers, but")
    assert preload.startswith("warning: --preload imports")


@pytest.mark.parametrize(
    "cfg", [{"http_protocols": ["h2", "h1"]}, {"proxy_protocol": True}, {"proxy_protocol": "v2"}]
)
def test_what_the_worker_cannot_do_is_refused(monkeypatch: pytest.MonkeyPatch, cfg: Any):
    (line, end) = check(monkeypatch, **cfg)
    assert line.startswith(f"critical: {next(iter(cfg))}: this worker ")
    assert end == "exit 1"


@pytest.mark.parametrize("name", ["server_class", "wsgi_handler"])
def test_a_class_that_is_not_ours_is_refused(monkeypatch: pytest.MonkeyPatch, name: str):
    own = type("Own", (Worker,), {name: dict})
    (line, end) = check(monkeypatch, own)
    assert line.startswith(f"critical: Own.{name}: dict is no subclass of SocketIO")
    assert end == "exit 1"
    made = type("Own", (Worker,), {name: lambda *args, **kwargs: None})
    assert check(monkeypatch, made) == []


# -- names -----------------------------------------------------------------------------------------


def test_the_original_names_are_there():
    assert issubclass(sgunicorn.NginxGeventSocketIOWorker, Worker)
    assert issubclass(Worker, sgunicorn.GeventSocketIOBaseWorker)
    assert issubclass(sgunicorn.GunicornWSGIHandler, SocketIOHandler)
    assert Worker.server_class is SocketIOServer
    assert Worker.wsgi_handler is sgunicorn.GunicornWSGIHandler
    assert Worker.ws_wsgi_handler is sgunicorn.GunicornWebSocketWSGIHandler
    assert (Worker.resource, Worker.transports, Worker.policy_server) == ("socket.io", None, False)


def test_our_answers_still_take_the_fast_way():
    assert sgunicorn.GunicornWSGIHandler._writes_at_once
    assert sgunicorn.GunicornWebSocketWSGIHandler._writes_at_once


@pytest.mark.parametrize(
    "obstacle",
    [
        "sys.modules['gunicorn'] = None",
        "import gevent; gevent.__version__ = '1.0'",
    ],
    ids=["no gunicorn", "old gevent"],
)
def test_who_lacks_gunicorn_is_told_what_to_install(obstacle: str):
    code = f"import sys; {obstacle}; import socketio.sgunicorn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: socketio.sgunicorn needs gunicorn with its gevent extra (")
    assert last.endswith("pip install 'gunicorn[gevent]>=23'")


def test_the_import_makes_no_hub_for_the_workers_to_inherit():
    code = (
        "import sys, socketio.sgunicorn; from gevent._hub_local import get_hub_if_exists; "
        "sys.exit(get_hub_if_exists() is not None)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
