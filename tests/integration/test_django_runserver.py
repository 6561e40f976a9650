"""``manage.py runserver_socketio``: its arguments, its settings, its messages."""

from __future__ import annotations

import socket
import sys

import pytest
import requests
import trustme

from tests.integration.djangostage import manage, project, serving
from tests.remote import RemoteClients
from tests.subprograms import free_port, running
from tests.tools import missing

__all__ = ["project"]  # the fixture

PATCHED = "from gevent import monkey\n\nmonkey.patch_all()\n"


def with_settings(project, text):
    """Write settings that add ``text`` to those of the tests; return their name."""
    (project / "more_settings.py").write_text(f"from probe_settings import *\n{text}\n")
    return "more_settings"


def refused(project, *args, settings="project.settings"):
    """Return what is printed by a command that refuses to run."""
    done = manage(project, "runserver_socketio", "127.0.0.1:0", *args, "--settings", settings)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


# -- arguments and settings ------------------------------------------------------------------------


@pytest.mark.parametrize("reload", [(), ("--noreload",)])
def test_a_setting_that_is_unknown_is_refused_by_name(project, reload):
    settings = with_settings(project, "SOCKETIO = {'heartbeat_intervall': 10}")
    message = refused(project, *reload, settings=settings)
    assert message.startswith("CommandError: SOCKETIO in the settings: heartbeat_intervall: ")
    assert message.endswith("did you mean 'heartbeat_interval'?")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{'close_timeout': -1}", "SOCKETIO in the settings: close_timeout"),
        ("{'transports': 'websocket,pigeon'}", "transports: 'pigeon' is unknown"),
        ("['websocket']", "SOCKETIO in the settings is no dictionary: ['websocket']"),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_its_name(project, text, message):
    settings = with_settings(project, f"SOCKETIO = {text}")
    assert message in refused(project, "--noreload", settings=settings)


def test_an_option_that_means_nothing_is_refused_by_its_name(project):
    message = refused(project, "--close-timeout", "soon")
    assert message.startswith("CommandError: close_timeout: ")


def test_options_count_more_than_settings_and_settings_more_than_nothing(project):
    settings = with_settings(
        project, "SOCKETIO = {'heartbeat_timeout': 77, 'close_timeout': 7, 'resource': 'nothere'}"
    )
    args = ("--noreload", "127.0.0.1:0", "--close-timeout", "44", "--transports", "xhr-polling")
    with serving(project, *args, "--resource", "socket.io", settings=settings) as served:
        shaken = requests.get(f"{served.url}/socket.io/1/", timeout=30).text
        assert shaken.split(":")[1:] == ["77", "44", "xhr-polling"]


def test_its_help_names_the_options(project):
    text = manage(project, "runserver_socketio", "--help").stdout
    for option in ("--noreload", "--insecure", "--ipv6", "--transports", "--heartbeat-interval"):
        assert option in text
    assert "--nothreading" not in text


def test_it_serves_on_ipv6(project):
    if not socket.has_ipv6:
        missing("IPv6")
    with serving(project, "--noreload", "[::1]:0") as served:
        assert served.url.startswith("http://[::1]:")
        assert requests.get(f"{served.url}/login/", timeout=30).status_code == 200


def test_nostatic_leaves_static_files_to_others(project):
    with serving(project, "--noreload", "--nostatic", "127.0.0.1:0") as served:
        assert requests.get(f"{served.url}/static/chat/chat.js", timeout=30).status_code == 404


def test_a_project_without_staticfiles_is_served_too(project):
    settings = with_settings(
        project, "INSTALLED_APPS.remove('django.contrib.staticfiles')\nSOCKETIO = {}"
    )
    with serving(project, "--noreload", "127.0.0.1:0", settings=settings) as served:
        assert requests.get(f"{served.url}/color", timeout=30).text == "none"


def test_it_serves_https_and_says_so(project, tmp_path):
    ca, pem = trustme.CA(), tmp_path / "server.pem"
    ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(pem)
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    settings = with_settings(
        project, f"SOCKETIO = {{'certfile': {str(pem)!r}, 'keyfile': {str(pem)!r}}}"
    )
    with serving(project, "--noreload", "127.0.0.1:0", settings=settings) as served:
        assert served.url.startswith("https://")
        with RemoteClients(ca=tmp_path / "ca.pem") as clients:
            assert clients.connect(served.url, "/probe").ask("who") == ["", False]


def test_the_access_log_is_django_s(project):
    with serving(project, "--noreload", "127.0.0.1:0") as served:
        requests.get(f"{served.url}/login/", timeout=30)
        served.process.wait_for_line(r'^\[\d\d/[^]]+\] "GET /login/ HTTP/1.1" 200 \d+ [\d.]+$')


# -- what goes wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize("reload", [(), ("--noreload",)])
def test_an_address_in_use_is_told_as_django_tells_it(project, reload):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        args = ("runserver_socketio", *reload, f"127.0.0.1:{taken.getsockname()[1]}")
        done = manage(project, *args)
    assert done.returncode == 1
    assert "Error: That port is already in use.\n" in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("import probe2.sockets.more", "'probe2.sockets' is not a package"),
    ],
)
def test_a_sockets_module_that_fails_is_loud(project, text, message):
    (project / "probe2").mkdir(exist_ok=True)
    (project / "probe2" / "__init__.py").write_text("")
    (project / "probe2" / "sockets.py").write_text(text)
    settings = with_settings(project, "INSTALLED_APPS.append('probe2')\nROOT_URLCONF = 'bare_urls'")
    # Nobody calls autodiscover(): the command does.
    (project / "bare_urls.py").write_text("urlpatterns = []")
    args = ("--noreload", "127.0.0.1:0", "--skip-checks", "--settings", settings)
    done = manage(project, "runserver_socketio", *args)
    assert done.returncode == 1
    assert message in done.stderr


def test_a_check_that_fails_is_told_as_django_tells_it(project):
    settings = with_settings(project, "ROOT_URLCONF = 'unchecked_urls'")
    (project / "unchecked_urls.py").write_text("urlpatterns = ['nothing']")
    done = manage(project, "runserver_socketio", "--noreload", "--settings", settings)
    assert done.returncode == 1
    assert done.stderr.startswith("SystemCheckError: System check identified some issues:")
    assert "urls.E004" in done.stderr


def test_the_other_runserver_says_which_one_is_meant(project):
    port = free_port()
    argv = [sys.executable, "manage.py", "runserver", "--noreload", str(port)]
    with running(argv, cwd=project) as process:
        process.wait_for_line("Quit the server")
        answer = requests.get(f"http://127.0.0.1:{port}/socket.io/1/websocket/1", timeout=30)
    assert answer.status_code == 500
    assert "python manage.py runserver_socketio" in answer.text


# -- the rest --------------------------------------------------------------------------------------


def test_manage_py_may_patch_by_itself(project):
    script = project / "patched.py"
    script.write_text(
        PATCHED + (project / "manage.py").read_text().replace("from __f", "# from __f")
    )
    argv = [sys.executable, "-W", "error", script, "runserver_socketio", "127.0.0.1:0"]
    with running(argv, env={"DJANGO_SETTINGS_MODULE": "probe_settings"}, cwd=project) as process:
        url = process.wait_for_line(r"Starting .*development server at (\S+)/$")[1]
        with RemoteClients() as clients:
            client = clients.connect(url, "/probe")
            used, _, _ = client.ask("query")
            assert (used, client.ask("open")) == (1, [0])
        assert "Warning" not in process.output().replace("WARNING: This is a development", "")
