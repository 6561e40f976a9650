"""``python -m socketio`` in processes of its own, and the application they serve."""

from __future__ import annotations

import re
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.subprograms import DEADLINE, Subprogram, running

APPLICATION = '''\
"""Answers with what it is, and stays."""

import os, threading, time
from gevent import monkey
from socketio import socketio_manage
from socketio.namespace import BaseNamespace

VERSION = "one"

class Chat(BaseNamespace):
    def recv_connect(self):
        print("a client is here", flush=True)
    def on_version(self):
        return VERSION
    def on_stay(self):
        print("staying", flush=True)
        while True:
            time.sleep(60)
    def on_spin(self):
        print("spinning", flush=True)
        while True:
            pass
    def on_leave(self, status):
        os._exit(status)

namespaces = {"": Chat, "/chat": Chat}

def app(environ, start_response):
    if "socketio" in environ:
        socketio_manage(environ, namespaces)
        return []
    if environ["PATH_INFO"] == "/stay":
        Chat.on_stay(None)
    start_response("200 OK", [("Content-Type", "text/plain")])
    facts = {"/": VERSION, "/patched": str(monkey.is_module_patched("threading")),
             "/scheme": environ["wsgi.url_scheme"], "/pid": str(os.getpid())}
    return [facts.get(environ["PATH_INFO"], "?").encode()]

def create_app(name):
    return app
'''

COMMAND = (sys.executable, "-W", "error", "-m", "socketio")
START = (
    r"^gevent-socketio [\d.]+ serving (?P<target>\S+) on "
    r"(?P<url>https?://\S+:(?P<port>\d+)/|unix:\S+)(?P<more>.*) \(Socket\.IO at (?P<path>\S+)\)$"
)


def write_application(folder: Path) -> Path:
    """Write the module ``chat`` into a folder; returns its path."""
    path = folder / "chat.py"
    path.write_text(APPLICATION)
    return path


@contextmanager
def command(folder: Path, *argv: str, env: Mapping[str, str] | None = None) -> Iterator[Subprogram]:
    """Run ``python -m socketio`` with ``argv`` in a folder."""
    with running([*COMMAND, *argv], env=env, cwd=folder) as program:
        yield program


def finished(folder: Path, *argv: str, env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a command to its end; returns its exit status and all it printed."""
    with command(folder, *argv, env=env) as program:
        return program.wait(), program.output()


def url_of(program: Subprogram) -> str:
    """Return where a program serves, as its start-up line says."""
    return program.wait_for_line(START)["url"]


def fetch(url: str, **options: Any) -> str:
    """Return what a page says."""
    with urllib.request.urlopen(url, timeout=DEADLINE, **options) as answer:
        return str(answer.read().decode())


def fetch_status(url: str) -> int:
    """Return the status with which a page is answered."""
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def eventually(condition: Callable[[], Any]) -> Any:
    """Wait until something is true; returns its value."""
    end = time.monotonic() + DEADLINE
    while not (value := condition()):
        assert time.monotonic() < end, "it never was"
        time.sleep(0.02)
    return value


def refuses(url: str) -> bool:
    """Tell whether nobody listens there."""
    port = re.search(r":(\d+)/", url)
    assert port is not None
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", int(port[1]))) != 0
