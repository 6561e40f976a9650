"""The tables of the protocol pages: packets, and what is answered to wrong requests."""

import csv
import json
import re
import runpy
import subprocess
from pathlib import Path

import pytest

from socketio.packet import decode, encode
from tests.client import WebSocketClient, fetch, handshake, serving
from tests.integration.jsclients import JS, find_node, install_packages

SAMPLES = Path(__file__).parents[2] / "docs" / "samples" / "protocol"
WRITTEN = ("session", "messages", "events", "acks", "errors")
LITERAL = re.compile("``(.+?)``")


def rows(name):
    """Return the rows of a table without their heading, each cell as it stands in the file."""
    with (SAMPLES / f"{name}.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.reader(table, delimiter="|"))[1:]


def packets(*names):
    return [
        (wire[2:-2], json.loads(packet[2:-2]))
        for name in names
        for wire, packet, _why in rows(f"packets/{name}")
    ]


@pytest.fixture(scope="module")
def server():
    with serving(runpy.run_path(str(SAMPLES / "server.py"))["app"]) as server:
        yield server


@pytest.mark.parametrize(("wire", "packet"), packets(*WRITTEN, "also_read"))
def test_a_packet_of_the_tables_is_read_as_they_say(wire, packet):
    assert decode(wire) == packet


@pytest.mark.parametrize(("wire", "packet"), packets(*WRITTEN))
def test_a_packet_of_the_tables_is_written_as_they_say(wire, packet):
    assert encode(packet) == wire


def test_the_reference_client_reads_the_tables_alike():
    """Its ids are texts, and it leaves out what is not there."""
    install_packages(JS)
    wanted = packets(*WRITTEN)
    script = """
        const client = require('socket.io-client');
        const wires = JSON.parse(process.argv[1]);
        console.log(JSON.stringify(wires.map((wire) => client.parser.decodePacket(wire))));
    """
    command = [find_node(), "-e", script, json.dumps([wire for wire, _packet in wanted])]
    done = subprocess.run(command, cwd=JS, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for (wire, packet), found in zip(wanted, json.loads(done.stdout), strict=True):
        for name in ("id", "ackId"):
            if name in found:
                found[name] = int(found[name])
        assert found == packet, wire


@pytest.mark.parametrize("wire", [cells[0][2:-2] for cells in rows("packets/refused")])
def test_a_packet_that_is_to_be_refused_is(wire, server):
    client = WebSocketClient(server).open()
    client.send(wire)
    assert json.loads(client.recv()[4:])["args"][0] == "invalid_packet"
    client.close()


@pytest.mark.parametrize(("wrong", "answer", "_why"), rows("wrong_packets"))
def test_a_wrong_packet_is_answered_as_the_table_says(wrong, answer, _why, server):
    client = WebSocketClient(server).open()
    if ":/chat" in wrong:
        client.send("1::/chat")
        assert client.recv() == "1::/chat"
    client.send(wrong[2:-2])
    assert client.recv() == answer[2:-2]
    client.send("3:::still there")
    assert client.recv() == "3:::still there"
    client.close()


@pytest.mark.parametrize(("request_", "status", "text"), rows("wrong_requests"))
def test_a_wrong_request_is_answered_as_the_table_says(request_, status, text, server):
    first, *rest = LITERAL.findall(request_)
    method, target = first.replace("SID", handshake(server)).split(" ", 1)
    headers = dict(part.split(": ", 1) for part in rest if ": " in part)
    body = "".join(part for part in rest if ": " not in part).replace("\\ufffd", "\ufffd").encode()
    if size := re.search(r"a body of ([0-9,]+) bytes", request_):
        body = b"x" * int(size[1].replace(",", ""))
    answer = fetch(
        server, method, target, body, **{name.replace("-", "_"): v for name, v in headers.items()}
    )
    if status == "the application's":
        assert answer.text == "the application's page\n"
        return
    assert answer.status == int(status)
    said = "".join(LITERAL.findall(text))
    if said and not text.startswith("``"):  # a part of it
        assert answer.text.endswith(said)
    else:
        assert answer.text == said
