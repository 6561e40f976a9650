"""Clients that come back by themselves when their server went away, in Python and in JavaScript.

Cooperative: the server may run in the same process.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import gevent
from gevent.fileobject import FileObject

from tests.client import PollingClient, event, wait_for
from tests.streams import ALL_CLIENTS

__all__ = ["JS", "JavaScriptClients", "Returning"]

JS = Path(__file__).resolve().parent / "js"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.4


class Returning:
    """One client that connects again, as the 0.9 client does, until the server sends it away.

    Args:
        server: Whatever has ``server_port`` and ``resource``; the one that comes next has the same.
        transport: Id of the transport.
        remember: Whether the server is asked to write down the ends of its sessions.
    """

    def __init__(self, server: Any, transport: str, *, remember: bool = False) -> None:
        self._server = server
        self._transport = transport
        self._remember = remember
        self.sessids: list[str] = []
        """The sessions it had, the last one last."""
        self.refused = 0
        """Attempts to connect that failed."""
        self.sent_away = False
        self._client: Any = None
        self._job = gevent.spawn(self._run)

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self.sent_away:
            visits = len(self.sessids)
            with contextlib.suppress(Exception):
                self._stay()
            self._let_go()
            if len(self.sessids) > visits:
                pause = _FIRST_PAUSE
            else:
                self.refused += 1
            gevent.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _stay(self) -> None:
        """Connect, and live on until that fails."""
        self._client = client = ALL_CLIENTS[self._transport](self._server).open()
        packets = [event("remember", endpoint="/chat", msgid="1+")] if self._remember else []
        client.send("1::/chat", *packets)
        awaited = "6:" if packets else "1::/chat"
        while not (text := client.recv()).startswith(awaited):
            pass
        self.sessids.append(client.sessid)
        while (text := client.recv()) != "0::":
            if text == "2::":
                client.send(text)
        self.sent_away = True

    def _let_go(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def end(self) -> None:
        """Leave for good."""
        self._job.kill()
        if isinstance(self._client, PollingClient):  # nothing else tells the server
            with contextlib.suppress(Exception):
                self._client.send("0::")
        self._let_go()


class JavaScriptClients:
    """A program of ``tests/js`` that runs ``returning.js``: the clients are socket.io-client's.

    Args:
        command: The program and its arguments.
        request: What ``returning.js`` is to do.
    """

    def __init__(self, command: list[str], **request: Any) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.counts: Counter[str] = Counter()
        """How often each event of the clients came."""
        self.reasons: list[str] = []
        """What the clients say of their disconnects."""
        self.trouble: list[Any] = []
        self.closed = False
        """Whether all have left, after :meth:`leave`."""
        self._lines = FileObject(self._process.stdout, "rb", close=False)
        self._reader = gevent.spawn(self._read)
        self._say({"id": 1, **request})

    def _say(self, line: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line).encode() + b"\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        for line in self._lines:
            said = json.loads(line)
            if "report" in said:
                self.reasons = said["report"].pop("reasons")
                self.counts = Counter(said["report"])
            elif "closed" in said:
                self.closed = True
            elif "error" in said:
                self.trouble.append(said["error"])

    def wait_for(self, name: str, number: int) -> None:
        """Wait until that event came so often."""
        wait_for(
            lambda: self.trouble or self.counts[name] >= number,
            f"{number} times {name}: {dict(self.counts)}",
        )
        assert not self.trouble, self.trouble

    def leave(self) -> None:
        """Have the clients leave the server, which must be there."""
        self._say({"id": 1, "close": True})
        wait_for(lambda: self.trouble or self.closed, "the clients leave")
        assert not self.trouble, self.trouble

    def end(self) -> None:
        """End the program."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            wait_for(lambda: self._process.poll() is not None, "the program ends")
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.kill()
            self._lines.close()
            self._process.stdout.close()
