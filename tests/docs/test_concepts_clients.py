"""The page about disconnection: what the JavaScript client sees."""

from __future__ import annotations

import json

import pytest

from tests.docs.concepts import SAMPLES, rows
from tests.docs.howto import run_in_node, serving_sample
from tests.remote import RemoteClient, RemoteClients

REASONS = {
    "'booted'": ["booted"],
    "no reason": [None],
    "no reason, then 'booted'": [None, "booted"],
}


@pytest.mark.parametrize("transport", ["websocket", "xhr-polling"])
def test_the_javascript_client_sees_what_the_table_says(transport: str) -> None:
    program = SAMPLES / "ending.py"
    with RemoteClients(transport) as clients, serving_sample(program) as (_, other):
        yardstick = clients.connect(other, "/first")
        for row in rows("clients.csv"):
            if row["disconnect on the client"] not in REASONS:
                continue  # see below
            if not row["on the server"].startswith("server."):
                check_client(clients.connect(other, "/first"), yardstick, row)
                continue
            with serving_sample(program) as (_, url):
                check_client(clients.connect(url, "/first"), yardstick, row)


def check_client(client: RemoteClient, yardstick: RemoteClient, row: dict[str, str]) -> None:
    how, wanted = row["on the server"], REASONS[row["disconnect on the client"]]
    client.emit("end", how)
    for _ in wanted:
        client.next("disconnect")
    # As long as a client with the same delays needs to come back.
    yardstick.emit("end", "socket.disconnect(silent=True)")
    yardstick.next("reconnect")
    log = client.log()
    assert [entry[1] for entry in log if entry[0] == "disconnect"] == wanted, how
    back = any(entry[0] == "reconnecting" for entry in log)
    assert back is (row["then"] == "it reconnects"), how
    if back and "socket." in how:  # a server is there to come back to
        client.next("reconnect")
        names = [entry[0] for entry in client.log()]
        assert names[:4] == ["connect", "disconnect", "reconnecting", "reconnect"]


LEFT = """
var url = process.argv[1], said = [];
var first = io.connect(url + '/first'), second = io.connect(url + '/second');
first.on('disconnect', function (why) { said.push(['first', why === undefined ? null : why]); });
second.on('disconnect', function (why) { said.push(['second', why]); });
second.on('connect', function () {
  first.emit('end', 'the application leaves one of several namespaces');
  second.emit('ready', function (answer) {
    console.log(JSON.stringify([said, answer, first.socket.connected]));
    process.exit();
  });
});
"""


def test_the_javascript_client_stays_connected_when_it_is_sent_out_of_one_of_several() -> None:
    row = next(row for row in rows("clients.csv") if "several" in row["on the server"])
    assert row["disconnect on the client"] == "no reason, on that namespace alone"
    assert row["then"] == "it stays connected"
    with serving_sample(SAMPLES / "ending.py") as (_, url):
        assert json.loads(run_in_node(LEFT, url)) == [[["first", None]], True, True]
