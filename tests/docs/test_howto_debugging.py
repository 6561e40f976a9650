"""docs/howto/debugging.rst: what there is to look at."""

import logging
import re
import signal
import sys

import pytest

from socketio.namespace import BaseNamespace
from socketio.testing import TestServer
from tests.docs.howto import HOWTO, load, run_in_node, serving_sample
from tests.remote import RemoteClients
from tests.subprograms import running


def test_packets_of_all_clients_are_logged_in_both_directions():
    with (
        serving_sample(HOWTO / "packet_log.py") as (program, url),
        RemoteClients("websocket") as clients,
    ):
        ada, bob = clients.connect(url, "/chat"), clients.connect(url, "/chat")
        assert ada.ask("say", "hello") == [True]
        assert bob.next("said") == ["hello"]
        ada.disconnect()
        program.wait_for_line(r"disconnected: peer_left")
        log = program.output()
    ada_id = re.search(r"packets:(\d{6}) < 5:1\+:/chat:", log)[1]
    for packet in (
        r"< 1::/chat",
        r"> 1::/chat",
        r'< 5:1\+:/chat:{"name":"say","args":\["hello"\]}',
        r'> 5::/chat:{"args":\["hello"\],"name":"said"}',
        r"> 6::/chat:1\+\[true\]",
        r"< 0::",
    ):
        assert re.search(rf"packets:{ada_id} {packet}", log), (packet, log)
    assert not re.search(r"\d{40}", log)  # ids of sessions are secrets


def test_packets_of_one_namespace_are_logged_by_its_hooks(caplog):
    sample = load(HOWTO / "packet_log.py")

    class Broken(sample.LoudChat):
        def on_break(self):
            raise LookupError

    caplog.set_level(logging.INFO, "packets")
    with TestServer({"/chat": Broken, "/other": BaseNamespace}) as server:
        ada = server.connect("/chat")
        ada.of("/other")
        ada.emit("say", "hello")
        with server.failing(LookupError):
            ada.emit("break")
    lines = [record.message for record in caplog.records if record.name == "packets"]
    assert any("'name': 'say'" in line for line in lines)
    assert "break failed with LookupError()" in lines
    assert not any("/other" in line for line in lines)


SLOW = """
import time
from socketio.namespace import BaseNamespace

class Chat(BaseNamespace):
    def on_compute(self):
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            pass
        return "done"

namespaces = {"/chat": Chat}
"""


def test_code_that_keeps_the_process_busy_is_named(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    command = [sys.executable, "-m", "socketio", "slow:namespaces", "--port", "0"]
    with (
        running([*command, "--block-warning", "0.1"], cwd=tmp_path) as program,
        RemoteClients("websocket") as clients,
    ):
        url = program.wait_for_line(r"on (http://\S+?)/ ")[1]
        assert clients.connect(url, "/chat").ask("compute") == ["done"]
        program.wait_for_line(r"socketio.server: nothing else has run for 0.1 s")
        program.wait_for_line(r"in on_compute")


@pytest.mark.parametrize(("level", "told"), [("info", True), ("warning", False)])
def test_the_log_level_of_the_command_line(tmp_path, level, told):
    (tmp_path / "slow.py").write_text(SLOW)
    command = [sys.executable, "-m", "socketio", "slow:namespaces", "--port", "0"]
    with (
        running([*command, "--log-level", level], cwd=tmp_path) as program,
        RemoteClients("websocket") as clients,
    ):
        url = program.wait_for_line(r"on (http://\S+?)/ ")[1]
        ada = clients.connect(url, "/chat")
        ada.emit("unknown")
        ada.next("error")
        ada.disconnect()
        program.wait_for_line(r'"GET /socket.io/1/websocket/\d{6}\.\.\. HTTP/1.1" 101 ')
        program.signal(signal.SIGTERM)
        assert program.wait() == 0
        log = program.output()
    for line in (
        r"INFO socketio.virtsocket: session \d{6}\.\.\. connected over websocket",
        r"INFO socketio.virtsocket: session \d{6}\.\.\. disconnected: peer_left",
    ):
        assert bool(re.search(line, log)) is told, log
    assert re.search(r"WARNING socketio.virtsocket: .* no_such_method on '/chat'", log), log


WHERE = """
import where
from socketio.namespace import BaseNamespace
namespaces = {"/chat": BaseNamespace}
"""


def test_a_signal_shows_where_the_process_and_its_greenlets_are(tmp_path):
    (tmp_path / "served.py").write_text(WHERE)
    command = [sys.executable, "-m", "socketio", "served:namespaces", "--port", "0"]
    with (
        running(
            command, cwd=tmp_path, env={"PYTHONPATH": f"{HOWTO}:{HOWTO.parents[2]}"}
        ) as program,
        RemoteClients("websocket") as clients,
    ):
        url = program.wait_for_line(r"on (http://\S+?)/ ")[1]
        clients.connect(url, "/chat")
        program.signal(signal.SIGUSR1)
        program.wait_for_line(r"Current thread .*most recent call first")
        program.signal(signal.SIGUSR2)
        program.wait_for_line(r"Greenlets")
        program.wait_for_line(r"get_server_msg")


def test_a_page_tells_what_happens_to_its_client():
    script = (
        (HOWTO / "watch.js").read_text()
        + """
    const socket = io.connect(process.argv[1] + '/chat', { 'force new connection': true });
    watch(socket);
    socket.on('connect', () => socket.socket.disconnect());
    socket.on('disconnect', () => setTimeout(() => process.exit(0), 100));
    """
    )
    with serving_sample(HOWTO / "packet_log.py") as (_program, url):
        told = run_in_node(script, url)
    assert re.search(r"^connect \[\] websocket$", told, re.MULTILINE), told
    assert re.search(r"^disconnect \[ 'booted' \]", told, re.MULTILINE), told


def test_the_numbers_that_the_page_names_are_there():
    with TestServer({"/chat": BaseNamespace}) as server:
        ada = server.connect("/chat")
        ada.emit("unknown")
        ada.drop()
        stats = server.real.stats()
    assert stats["disconnects"] == {"transport_lost": 1}
    assert stats["errors"] == {"no_such_method": 1}
