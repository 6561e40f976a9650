"""The Pyramid example of the docs below gunicorn with our worker, started in both ways."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.integration.chatting import ChatConversations, Running, needs
from tests.integration.pserving import CLIENT, PYRAMID_CHAT, ini, pserve
from tests.subprograms import running

SERVER = """
[server:gunicorn]
use = egg:gunicorn#main
worker_class = socketio.sgunicorn.GeventSocketIOWorker
workers = 1
bind = 127.0.0.1:0
control_socket_disable = true

[loggers]"""
# pserve imports the application before gunicorn starts the worker that patches.
PATCHED = """\
from gevent import monkey

monkey.patch_all()

from chat import main
"""


@contextlib.contextmanager
def serving(argv: Sequence[str | Path], folder: Path) -> Iterator[Running]:
    env = {"PYTHONPATH": f"{PYRAMID_CHAT}:{folder}", "SOCKETIO_CLIENT_JS": str(CLIENT)}
    with running(argv, env=env) as process:
        yield Running(process, process.wait_for_line(r"Listening at: (\S+)")[1])


def by_pserve(folder: Path) -> contextlib.AbstractContextManager[Running]:
    needs("gunicorn")
    (folder / "patched_chat.py").write_text(PATCHED)
    file = ini(folder, ("[loggers]", SERVER.lstrip()), ("call:chat:", "call:patched_chat:"))
    return serving([pserve(), file, "--server-name", "gunicorn"], folder)


def by_itself(folder: Path) -> contextlib.AbstractContextManager[Running]:
    needs("gunicorn")
    worker = ["--worker-class", "socketio.sgunicorn.GeventSocketIOWorker"]
    place = ["--bind", "127.0.0.1:0", "--no-control-socket"]
    argv = [sys.executable, "-m", "gunicorn", "--paste", ini(folder), *worker, *place]
    return serving(argv, folder)


@pytest.fixture(scope="module", params=[by_pserve, by_itself])
def chat(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    with request.param(tmp_path_factory.mktemp("gunicorn")) as server:
        yield server


@pytest.fixture(params=[by_pserve, by_itself])
def chat_alone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    with request.param(tmp_path) as server:
        yield server


class TestPyramidChatBelowGunicorn(ChatConversations):
    """The same application as below our own server; the client's file is served likewise."""
