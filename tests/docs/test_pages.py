"""What the older pages show: docs/samples/pages, each used as its page says."""

import ast
import re
import signal
import sys
import urllib.request
from decimal import Decimal

import pytest

from socketio.namespace import BaseNamespace
from socketio.testing import Refused, TestServer
from tests.client import PollingClient, fetch, handshake
from tests.docs.howto import PAGES, load, run_in_node, serving_sample
from tests.integration.chatting import needs
from tests.integration.jsclients import JS, install_packages
from tests.remote import RemoteClients
from tests.subprograms import TOP, free_port, running
from tests.tools import missing


@pytest.fixture
def started():
    """Return a function that starts servers of a sample, to be stopped at the end."""
    servers = []

    def start(server):
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop(timeout=1)


# -- security.rst ------------------------------------------------------------------------------


@pytest.fixture
def security():
    return load(PAGES / "security.py")


@pytest.mark.parametrize(
    ("origin", "of_shop"),
    [
        ("https://shop.example", 200),
        ("https://www.shop.example", 200),
        ("http://shop.example", 403),
        ("https://evil.example", 403),
    ],
)
def test_pages_of_the_named_origins_may_connect_or_all(security, started, origin, of_shop):
    for server, status in ((security.shop, of_shop), (security.public, 200)):
        server.log = None
        answer = fetch(started(server), "GET", "/socket.io/1/", Origin=origin)
        assert answer.status == status, answer


def test_the_cookie_says_who_it_is(security):
    with TestServer(security.app, authorize=security.guarded.authorize) as server:
        ada = server.connect("/prices", cookies={"login": "cookie-of-ada"})
        assert ada.session["user"] == "Ada"
        with pytest.raises(Refused) as caught:
            server.connect("/prices", cookies={"login": "made up"})
        assert caught.value.status == 403
        ada.of("/admin")
        with pytest.raises(Refused, match="unauthorized"):
            server.connect("/admin", cookies={"login": "cookie-of-bob"})


def test_slow_clients_lose_old_packets_or_their_connection(security):
    assert security.prices.config.slow_peer == "drop_oldest"
    policy = security.mixed.config.slow_peer
    limits = {"slow_peer": policy, "max_outbound_packets": 10}
    with TestServer(security.app, authorize=lambda _environ: True, **limits) as server:
        ada, bob = server.connect("/prices"), server.connect("/prices")
        ada.session["watches_only"] = True
        for client in (ada, bob):
            client.reading = False
        for number in range(100):
            server.emit("price", number, namespace="/prices")
        assert ada.socket.connected
        assert bob.socket.disconnect_reason == "slow_peer"


# -- deployment.rst ----------------------------------------------------------------------------


def test_a_trusted_proxy_says_where_the_client_is(started):
    sample = load(PAGES / "proxies.py")
    for server, address in (
        (sample.named, "192.0.2.7"),
        (sample.local, "127.0.0.1"),
        (sample.anybody, "192.0.2.7"),
    ):
        server.log = None
        started(server)
        path = f"/socket.io/1/xhr-polling/{handshake(server)}"
        assert fetch(server, "GET", path, X_Forwarded_For="192.0.2.7").text == "1::"
        (socket,) = server.sockets.values()
        assert socket.environ["REMOTE_ADDR"] == address


NOT_YET = """
import itertools
from socketio.namespace import BaseNamespace

attempts = itertools.count()

def authorize(environ):
    if next(attempts) == 0:
        raise OSError("not yet")

namespaces = {"": BaseNamespace}
"""


def test_a_page_that_came_too_early_tries_again(tmp_path):
    (tmp_path / "notyet.py").write_text(NOT_YET)
    command = [sys.executable, "-m", "socketio", "notyet:namespaces", "--port", "0"]
    script = (
        "const socket = io.connect(process.argv[1]);"
        "socket.on('connect', () => { console.log('connected'); process.exit(0); });"
        + (PAGES / "try_again.js").read_text()
    )
    with running([*command, "--authorize", "notyet:authorize"], cwd=tmp_path) as program:
        url = program.wait_for_line(r"on (http://\S+?)/ ")[1]
        assert run_in_node(script, url) == "connected\n"
        assert "not yet" in program.output()


# -- gunicorn.rst ------------------------------------------------------------------------------


def test_a_worker_of_ones_own():
    needs("gunicorn")
    from tests.integration.gunicorns import argv

    command = argv("--pythonpath", str(PAGES))
    command[command.index("-k") + 1] = "gunicorn_worker.Worker"
    env = {"PYTHONPATH": f"{PAGES}:{TOP}"}
    with running(command, env=env, cwd=TOP) as program:
        url = program.wait_for_line(r"Listening at: (http://\S+)")[1]
        with urllib.request.urlopen(f"{url}/chat/socket.io/1/", timeout=60) as answer:
            text = answer.read().decode()
        assert text.split(":")[1:] == ["60", "60", "websocket,xhr-polling"]
        program.signal(signal.SIGTERM)
        assert program.wait() == 0


# -- monitoring.rst ----------------------------------------------------------------------------


def test_the_numbers_have_the_names_of_the_page():
    page = (TOP / "docs" / "monitoring.rst").read_text()
    shown = re.search(r'stats\(\)\["sessions"\]\n(.*?)\n\n', page, re.DOTALL)
    assert shown is not None
    numbers = ast.literal_eval(" ".join(shown[1].split()))
    with TestServer({"": BaseNamespace}) as server:
        server.connect()
        found = server.real.stats()["sessions"]
    assert list(numbers) == list(found)
    assert set(found["by_state"]) <= set(numbers["by_state"])
    assert set(found["by_transport"]) <= set(numbers["by_transport"])


def test_the_metrics_are_on_a_port_of_their_own(started):
    metrics = load(PAGES / "metrics.py")
    with TestServer({"": BaseNamespace}) as server:
        server.connect()
        place = metrics.serve_metrics(server.real, ("127.0.0.1", 0))
        try:
            answer = fetch(_At(place.server_port), "GET", "/metrics")
        finally:
            place.stop()
    assert 'socketio_sessions{state="CONNECTED"} 1.0' in answer.text


class _At:
    """Where :func:`tests.client.fetch` is to look."""

    resource = "socket.io"

    def __init__(self, port):
        self.server_port = port


# -- speed.rst ---------------------------------------------------------------------------------


def test_other_json_functions():
    try:
        import orjson
    except ImportError:
        missing("orjson")
    sample = load(PAGES / "fast_json.py")
    with TestServer(sample.view) as server:
        ada = server.connect("/echo")
        assert ada.socket.json_loads is orjson.loads
        assert ada.ask("echo", {"b": "é", "a": [1.5, None]}) == [{"b": "é", "a": [1.5, None]}]
    table = {  # value: what becomes of it, as the page says
        float("nan"): "null",
        "é": '"é"',
    }
    assert {value: sample.dumps(value) for value in table} == table
    assert sample.dumps({"b": 1, "a": 2}) == '{"b":1,"a":2}'
    for refused in (Decimal(1), {1: 2}, 2**64, "\ud800"):
        with pytest.raises(TypeError):
            sample.dumps(refused)


# -- stopping.rst ------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_of_ones_own_ends_so_that_clients_come_back(number):
    with RemoteClients("websocket") as clients:
        with serving_sample(PAGES / "stopping.py", PORT=str(free_port())) as (program, url):
            ada = clients.connect(url, "/chat")
            program.signal(number)
            assert program.wait() == 0
        ada.next("disconnect")
        with running([sys.executable, PAGES / "stopping.py"], env={"PORT": url.rpartition(":")[2]}):
            ada.next("reconnect")


# -- transports.rst ----------------------------------------------------------------------------


def test_fewer_transports_and_one_of_ones_own(started, caplog):
    sample = load(PAGES / "transports.py")
    for server in (sample.fewer, sample.other):
        server.log = None
        started(server)
    text = fetch(sample.fewer, "GET", "/socket.io/1/").text
    assert text.endswith(":websocket,xhr-polling")
    answer = fetch(sample.fewer, "GET", f"/socket.io/1/htmlfile/{text.split(':')[0]}")
    assert answer.status == 400
    caplog.set_level("INFO", sample.log.name)
    ada = PollingClient(sample.other).open()
    ada.send("2::")
    assert [line.split()[0] for line in caplog.messages if " of " in line] == ["GET", "POST"]
    ada.close()


# -- clientfile.rst ----------------------------------------------------------------------------


def test_the_page_gets_its_client_from_the_server(browser):
    install_packages(JS)
    command = [sys.executable, PAGES / "client_file.py"]
    with running(command, cwd=JS, env={"PORT": "0"}) as program:
        url = program.wait_for_line(r"^serving on (http://\S+)$")[1]
        page = browser.new_page()
        page.goto(url)
        page.wait_for_function("chat.socket.connected")
        assert page.evaluate("chat.name") == "/chat"
        page.close()


def test_the_file_of_the_client_is_read_when_the_server_is_made(tmp_path):
    with running([sys.executable, PAGES / "client_file.py"], cwd=tmp_path) as program:
        assert program.wait() == 1
        assert "ConfigError: client_js:" in program.output()
