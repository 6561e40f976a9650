"""``--reload``: a process that has another one serve, and a new one when the code changes.

Files are looked at twice a second: a few hundred of them take a millisecond or two, it works with
editors that replace a file as with those that write into it, and on shared folders, where the
system tells nobody.

.. versionadded:: 1.0
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import FrameType
from typing import TypeAlias

__all__ = ["ModuleReporter", "Supervisor"]

_PAUSE = 0.5
# A change of many files, as of a check-out, is over when nothing more changes for so long; some
# things never rest.
_SETTLED = 0.1
_MOST_WAITS = 20
_SHORT = 0.02
# Where nobody works on the application: installed packages, Python, and this one.
_INSTALLED = ("site-packages", "dist-packages")
_LIBRARY = tuple(
    {path + os.sep for path in map(sysconfig.get_path, ("stdlib", "platstdlib"))}
    | {os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep}
)
_SKIPPED = ("__pycache__", "node_modules")

Snapshot: TypeAlias = dict[str, tuple[int, int, int]]


class ModuleReporter:
    """The end of the process that serves: tells the supervisor where its modules come from.

    Args:
        pipe: A descriptor to write to.
    """

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._told: set[str] = set()
        self._parent = os.getppid()

    def report(self, files: Iterable[str] = ()) -> None:
        """Tell the directories of the modules that are loaded by now, and of ``files``.

        Each of them once, as it looks now; those of Python itself and of installed packages are
        left out. Does not block longer than the supervisor takes to read.
        """
        found = {os.path.dirname(os.path.abspath(file)) for file in (*_module_files(), *files)}
        new = {name: _look_into(name) for name in filter(_is_watched, found - self._told)}
        self._told |= found
        if new:
            line = json.dumps(new).encode() + b"\n"
            with suppress(BrokenPipeError):  # the supervisor is gone, orphaned() knows
                while line:  # a signal may cut a write short
                    line = line[os.write(self._pipe, line) :]

    def orphaned(self) -> bool:
        """Tell whether the supervisor is gone, so that nobody would ever end us."""
        return os.getppid() != self._parent


def _module_files() -> Iterator[str]:
    for module in list(sys.modules.values()):
        # Not getattr(): some modules import others when they are asked for anything.
        file = getattr(module, "__dict__", {}).get("__file__")
        if isinstance(file, str):
            yield file


def _is_watched(directory: str) -> bool:
    parts = directory.split(os.sep)
    return not (directory + os.sep).startswith(_LIBRARY) and not set(_INSTALLED) & set(parts)


class Supervisor:
    """Runs ``work`` in a child process, and again when a ``*.py`` file has changed.

    The directories of the modules that the child reports are looked at, the current one, and all
    below ``directories``. Nothing in this process may have started a thread, or gevent.

    Args:
        work: Serves, in the child; it is given the reporter and returns the exit status.
        directories: Looked at with all that is below them.
        retry: The statuses of a child that could not start for a fault in the code: the next change
            is waited for. Any other status ends the supervisor too.
        patience: Seconds a child may take to end before it is killed.
        say: Called with what happens, one line each.
    """

    def __init__(
        self,
        work: Callable[[ModuleReporter], int],
        *,
        directories: Iterable[str] = (),
        retry: Iterable[int] = (),
        patience: float = 8,
        say: Callable[[str], object],
    ) -> None:
        self._work = work
        self._trees = [os.path.abspath(name) for name in directories]
        self._retry = frozenset(retry)
        self._patience = patience
        self._say = say
        self._directories = {os.getcwd()}
        self._child: int | None = None
        self._status: int | None = None
        self._asked = False
        self._forced = False
        self._unread = b""
        self._pid = os.getpid()

    def run(self) -> int:
        """Supervise until the child ends by itself or a signal ends it; returns its status.

        SIGINT and SIGTERM end the child gracefully, a further SIGINT at once. Blocks.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        while True:
            seen = self._snapshot()
            status = self._serve(seen)
            if self._forced:
                return 128 + signal.SIGINT
            if self._asked and status in (None, -signal.SIGTERM):
                # By our signal, where it came behind a ^C of the child's own, at its very end.
                return 0
            if status is None:
                continue
            if self._asked or status not in self._retry:
                return 128 - status if status < 0 else status
            self._say("waiting for a change of the code")
            while not self._changed(seen):
                if self._asked:
                    return 0
                time.sleep(_PAUSE)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if os.getpid() != self._pid:  # the child, before it has a handler of its own
            sys.exit(0)
        self._forced |= self._asked and number == signal.SIGINT
        self._asked = True
        if self._child is not None:
            # The child has a ^C of its own, unless only we were meant. SIGTERM adds nothing to it.
            with suppress(ProcessLookupError):  # waited for at this moment
                os.kill(self._child, signal.SIGKILL if self._forced else signal.SIGTERM)

    # -- the child -----------------------------------------------------------------------------

    def _serve(self, seen: Snapshot) -> int | None:
        """Run the child to its end; returns its status, or None if it has to be run again."""
        reader, writer = os.pipe()
        self._status, self._unread = None, b""
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if not child:
            os.close(reader)
            # As any program ends: what the application has registered for its end is run.
            sys.exit(self._work(ModuleReporter(writer)))
        os.close(writer)
        self._child = child
        if self._asked:  # meanwhile
            os.kill(child, signal.SIGTERM)
        try:
            while not self._ended():
                self._listen(reader, seen, _PAUSE)
                if self._asked:
                    self._end(reader)
                elif self._changed(seen):
                    self._end(reader)
                    return None
            while self._listen(reader, seen, 0):  # its last words
                pass
        finally:
            os.close(reader)
        return self._status

    def _listen(self, reader: int, seen: Snapshot, seconds: float) -> bool:
        """Wait for what the child reports; False if nothing comes, its end included."""
        if not select.select([reader], [], [], seconds)[0]:
            return False
        data = os.read(reader, 65536)
        if not data:
            time.sleep(_SHORT)
            return False
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            for directory, files in json.loads(line).items():
                if directory not in self._directories:
                    self._directories.add(directory)
                    seen.update({name: tuple(state) for name, state in files.items()})
        return True

    def _ended(self) -> bool:
        """Tell whether the child has ended, and leave nothing of it behind."""
        if self._child is not None:
            pid, status = os.waitpid(self._child, os.WNOHANG)
            if pid:
                self._child = None
                self._status = os.waitstatus_to_exitcode(status)
        return self._child is None

    def _end(self, reader: int) -> None:
        """End the child: gracefully if it can, by force when it takes too long."""
        limit = time.monotonic() + self._patience
        # Not twice: the second may come when the child has given up its handlers, at its very end.
        if self._child is not None and not self._asked:
            os.kill(self._child, signal.SIGTERM)
        while not self._ended():
            if time.monotonic() > limit and self._child is not None:
                self._say(f"the server has not stopped in {self._patience:g} s, it is killed")
                os.kill(self._child, signal.SIGKILL)
                limit = math.inf
            self._listen(reader, {}, _SHORT)

    # -- the files -----------------------------------------------------------------------------

    def _changed(self, seen: Snapshot) -> bool:
        """Tell whether a file has changed since ``seen``, once everything is at rest."""
        now = self._snapshot()
        if now == seen:
            return False
        names = sorted(name for name in {*now, *seen} if now.get(name) != seen.get(name))
        for _ in range(_MOST_WAITS):
            time.sleep(_SETTLED)
            before, now = now, self._snapshot()
            if now == before:
                break
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        self._say(f"{os.path.relpath(names[0])}{more} changed, starting anew")
        return True

    def _snapshot(self) -> Snapshot:
        found: Snapshot = {}
        for directory in self._directories:
            found.update(_look_into(directory))
        for tree in self._trees:
            for directory, names, _ in os.walk(tree):
                names[:] = [name for name in names if _is_source(directory, name)]
                found.update(_look_into(directory))
        return found


def _look_into(directory: str) -> Snapshot:
    found: Snapshot = {}
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.endswith(".py") and not entry.name.startswith("."):
                    with suppress(FileNotFoundError):  # replaced at this moment
                        stat = os.stat(entry.path)
                        found[entry.path] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    except OSError:  # removed, or not for us to read
        return {}
    return found


def _is_source(directory: str, name: str) -> bool:
    """Tell whether a directory can hold code of the application: no environment, nothing hidden."""
    if name.startswith(".") or name in _SKIPPED:
        return False
    return not os.path.exists(os.path.join(directory, name, "pyvenv.cfg"))
