"""What the tests with JavaScript clients share: tools, programs, the server, the clients.

`Server` runs ``jsapp.py``; `NodeClients` and `Chromium` run the scenarios of
``tests/js/scenarios.js`` in node and in a browser. The tests themselves, the same for all clients
and transports, are in ``jsconversations.py``.

Nothing here sleeps for a fixed time: it waits for lines and conditions, up to `DEADLINE`.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.tools import missing

pytest.register_assert_rewrite("tests.integration.jsconversations")

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
JS = HERE.parent / "js"

DEADLINE = 30.0
"""Seconds after which a wait is given up: far more than anything takes, on any machine."""

NPM_CI = ("ci", "--no-audit", "--no-fund", "--ignore-scripts")


# -- Tools -----------------------------------------------------------------------------------


def find_tool(names: Sequence[str], advice: str) -> str:
    """Return the path of the first program that is there.

    When none is, the test is skipped, and fails where ``CI`` is set.
    """
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    return missing(f"{names[0]} ({advice})")


def find_node() -> str:
    return find_tool(["node"], "apt-get install nodejs npm (node 20 or newer)")


def find_chromium() -> str:
    given = os.environ.get("CHROMIUM")
    return find_tool(
        [given] if given else ["chromium", "chromium-browser"],
        "apt-get install --no-install-recommends chromium, or set CHROMIUM to its path",
    )


def install_packages(directory: Path) -> None:
    """Install what the package-lock.json of a directory names, unless it is there already."""
    # npm writes this file last: without it an installation is not complete.
    if (directory / "node_modules" / ".package-lock.json").is_file():
        return
    npm = find_tool(["npm"], "apt-get install nodejs npm")
    done = subprocess.run(
        [npm, *NPM_CI], cwd=directory, capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode:
        pytest.fail(f"npm {' '.join(NPM_CI)} in {directory}: {done.stderr}", pytrace=False)


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """Return the first true value of ``condition()``."""
    give_up = time.monotonic() + DEADLINE
    while not (value := condition()):
        if time.monotonic() > give_up:
            raise AssertionError(f"waited {DEADLINE} s in vain: {what}")
        time.sleep(0.05)  # each look is a request to the server
    return value


# -- Programs --------------------------------------------------------------------------------


class Program:
    """A child process that is spoken to in lines and ends when its standard input does."""

    def __init__(self, interpreter: Sequence[str], script: Path, *arguments: str) -> None:
        self.name = script.name
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 -- closed in stop()
        self._process = subprocess.Popen(
            [*interpreter, str(script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name=self.name)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def write(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # read() says that the program has ended
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def read(self) -> str:
        """Return the next line that the program prints."""
        try:
            line = self._lines.get(timeout=DEADLINE)
        except queue.Empty:
            raise AssertionError(f"{self.name} is silent\n{self.errors()}") from None
        if line is None:
            self._lines.put(None)  # for who asks again
            raise AssertionError(f"{self.name} has ended\n{self.errors()}")
        return line

    def errors(self) -> str:
        """Return what the program has written to its standard error."""
        # Not seek() and read(): the program writes where this file stands.
        size = os.fstat(self._errors.fileno()).st_size
        return os.pread(self._errors.fileno(), size, 0).decode(errors="replace")

    def stop(self, end: signal.Signals | None = None) -> str:
        """End the program, which must go of its own accord; return its standard error.

        ``end`` is for a program that does not mind its standard input.
        """
        try:
            if end is not None:
                self._process.send_signal(end)
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()  # type: ignore[union-attr]
            status = self._process.wait(DEADLINE)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            self._process.stdout.close()  # type: ignore[union-attr]
            errors = self.errors()
            self._errors.close()
        assert status == 0, f"{self.name} ended with status {status}\n{errors}"
        return errors


class Server:
    """``jsapp.py`` in a process of its own."""

    def __init__(self, **settings: object) -> None:
        options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        # Warnings are errors in the server too; -bb: str and bytes must not meet.
        python = [sys.executable, "-bb", "-Werror"]
        self._program = Program(python, HERE / "jsapp.py", *options)
        self._stopped = False
        try:
            self.port: int = json.loads(self._program.read())["port"]
        except BaseException:
            self._program.stop()
            raise
        self.url = self.url_at("127.0.0.1")

    def url_at(self, host: str) -> str:
        """Return the URL under another name of this machine."""
        return f"http://{host}:{self.port}"

    def ask(self, route: str, token: str = "") -> Any:
        """Return the JSON answer of one of the routes of ``jsapp.py``."""
        return json.loads(self._get(f"{route}?token={token}"))

    def handshake(self, token: str) -> str:
        """Return the id of a session that is nobody's yet."""
        return self._get(f"/socket.io/1/?token={token}").split(":")[0]

    def _get(self, target: str) -> str:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            connection.request("GET", target, headers={"Connection": "close"})
            with connection.getresponse() as response:
                body = response.read().decode()
                assert response.status == 200, body
                return body
        finally:
            connection.close()

    def sessions(self, token: str) -> list[dict[str, Any]]:
        return self.ask("/observed", token)

    def session(self, token: str) -> dict[str, Any]:
        """Return what the server saw of the one and only session with that token."""
        sessions = self.sessions(token)
        assert len(sessions) == 1
        assert sessions[0]["views"] == 1
        return sessions[0]

    def ended_session(self, token: str) -> dict[str, Any]:
        """Return the one session with that token when it is over, for the handlers too."""

        def over() -> dict[str, Any] | None:
            session = self.session(token)
            return session if session["ended"] and not session["alive"] else None

        return wait_until(over, f"the end of the session {token}")

    def stop(self) -> None:
        """Stop the server and look whether anything went wrong in it on the whole."""
        if self._stopped:
            return
        self._stopped = True
        try:
            sessions = self.ask("/observed")
        finally:
            errors = self._program.stop()
        for session in sessions:
            assert session["views"] == 1, session
            for reasons in session["disconnects"].values():
                assert len(reasons) == 1, session
        assert "Traceback" not in errors, errors
        assert "Warning" not in errors, errors


@contextlib.contextmanager
def serving(**settings: object) -> Iterator[Server]:
    server = Server(**settings)
    try:
        yield server
    finally:
        server.stop()


# -- Clients ---------------------------------------------------------------------------------


class Run:
    """One scenario under way in one client."""

    _ids = itertools.count(1)

    def __init__(self, program: Program, request: dict[str, Any]) -> None:
        self.token: str = request["token"]
        self._program = program
        self._id = next(self._ids)
        self._send(request)

    def _send(self, request: dict[str, Any]) -> None:
        # ASCII only: readline takes U+2028 for the end of a line.
        self._program.write(json.dumps({"id": self._id, **request}))

    def _expect(self, key: str) -> Any:
        answer = self._read()
        assert key in answer, answer.get("error", answer)
        return answer[key]

    def _read(self) -> dict[str, Any]:
        while True:
            answer = json.loads(self._program.read())
            if answer["id"] == self._id:  # and not an earlier one that was given up
                return answer

    def wait_for(self, report: str) -> None:
        """Wait until the scenario has come as far as this."""
        assert self._expect("report") == report

    def result(self) -> Any:
        """Return what the scenario comes to; its connection stays open until `close()`."""
        return self._expect("result")

    def close(self) -> None:
        self._send({"close": True})
        while "closed" not in self._read():
            pass  # what a failed test did not wait for


class Clients(Protocol):
    """A place where scenarios run."""

    def run(self, scenario: str, url: str, transport: str, **more: Any) -> Any:
        """Return a context manager of a `Run`."""


def make_request(scenario: str, url: str, transport: str, **more: Any) -> dict[str, Any]:
    return {
        "scenario": scenario,
        "url": url,
        "transport": transport,
        "token": f"{scenario}-{transport}-{uuid.uuid4().hex}",
        "deadline": int(DEADLINE * 900),  # milliseconds; before ours, it has more to say
        **more,
    }


class NodeClients:
    """Each scenario in a node of its own."""

    def __init__(self) -> None:
        self._node = find_node()

    @contextlib.contextmanager
    def run(self, scenario: str, url: str, transport: str, **more: Any) -> Iterator[Run]:
        program = Program([self._node], JS / "node_client.js")
        try:
            run = Run(program, make_request(scenario, url, transport, **more))
            yield run
            run.close()
        finally:
            program.stop()


class Chromium:
    """Each scenario in a context of its own, all in one browser."""

    def __init__(self) -> None:
        self._program = Program([find_node()], JS / "chromium.js", find_chromium())

    @contextlib.contextmanager
    def run(self, scenario: str, url: str, transport: str, **more: Any) -> Iterator[Run]:
        run = Run(self._program, make_request(scenario, url, transport, **more))
        try:
            yield run
        finally:
            run.close()

    def stop(self) -> None:
        self._program.stop()
