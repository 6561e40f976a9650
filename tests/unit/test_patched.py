"""Paste's server that patches first, in a process of its own: nothing else undoes that."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import threading, warnings
warnings.simplefilter("error")
done = threading.Event()
threading.Thread(target=lambda: done.wait(60), daemon=True).start()  # as pserve --reload has

from gevent import monkey
from socketio.patched import patched_server

serve = patched_server({"here": "/nowhere"}, heartbeat_intervall="10")
import socket
print(socket.socket.__module__, monkey.is_module_patched("threading"))
try:
    serve(lambda environ, start_response: [])
except ValueError as exc:
    print(exc)
"""


def test_it_patches_before_it_serves_and_hands_the_options_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )
    patched, refusal = done.stdout.splitlines()
    assert patched == "gevent._socket3 True"
    assert refusal.startswith("heartbeat_intervall: ")
    assert "Warning" not in done.stderr
