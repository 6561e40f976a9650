"""The clients of the protocol pages, talking to the server of these pages."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.subprograms import running

SAMPLES = Path(__file__).parents[2] / "docs" / "samples" / "protocol"
CLIENTS = ("polling_client", "websocket_client")


@pytest.fixture(scope="module")
def url():
    with running([sys.executable, SAMPLES / "server.py"], env={"PORT": "0"}) as program:
        yield program.wait_for_line(r"^serving on (http://\S+)$")[1]


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_of_the_page_asks_and_is_answered(name, url):
    command = [sys.executable, SAMPLES / f"{name}.py", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 + 3 = 5\n", "")


@pytest.mark.parametrize(
    ("text", "packets"),
    [
        ("8::", ["8::"]),
        ("3:::a\nb", ["3:::a\nb"]),
        ("\ufffd5\ufffd3:::a\ufffd5\ufffd3:::b", ["3:::a", "3:::b"]),
        ("\ufffd6\ufffd3:::\U0001f600\ufffd5\ufffd3:::b", ["3:::\U0001f600", "3:::b"]),
        ("\ufffd5\ufffd3:::\ufffd\ufffd3\ufffd8::", ["3:::\ufffd", "8::"]),
    ],
)
def test_the_payload_is_cut_in_units_of_javascript(text, packets):
    split_payload = runpy.run_path(str(SAMPLES / "polling_client.py"))["split_payload"]
    assert split_payload(text) == packets
