"""Loads the application and serves it until a signal comes: the work of the command.

.. versionadded:: 1.0
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from socketio.commandline.listening import Listener
from socketio.commandline.loading import ApplicationError, Interrupted, load_application
from socketio.commandline.parser import VERSION, Exit
from socketio.commandline.reloading import ModuleReporter
from socketio.commandline.values import Command
from socketio.errors import ConfigError
from socketio.options import parse_options

# gevent is imported when what it patches is patched, and never in the process that supervises.
if TYPE_CHECKING:
    from socketio.server import SocketIOServer

__all__ = ["check", "say", "serve"]

_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_REPORT_SECONDS = 1


# Seconds that a server may take to stop beyond its stop_timeout, before it is ended.
GRACE = 3
# Seconds after which the loading of an application that goes on is interrupted again.
_AGAIN = 0.2
# What a stream raises that nobody reads, that was closed, or that is not there.
_NO_READER = (OSError, ValueError, AttributeError)


def say(text: str) -> None:
    """Write a line of the command's own to the standard error, if anybody reads that."""
    with suppress(*_NO_READER):
        sys.stderr.write(f"gevent-socketio: {text}\n")
        sys.stderr.flush()


def serve(command: Command, listener: Listener, reporter: ModuleReporter | None = None) -> int:
    """Serve what ``command`` names until SIGINT or SIGTERM; returns the exit status. Blocks.

    Call it in the main thread, before anything has imported gevent.

    Args:
        command: What was asked for.
        listener: Accepts the connections; its owner closes it.
        reporter: Is told which modules the application has; None without ``--reload``.
    """
    interrupts = _Interrupts(listener.close, command.patience)
    try:
        server = _load(command, listener.socket, reporter)
        if isinstance(server, Exit):
            return server
        status = _run(command, server, listener, interrupts, reporter)
        _name_threads()
        return status
    except Interrupted:
        return Exit.STOPPED
    finally:
        interrupts.calm_down()


def check(command: Command) -> int:
    """Load the application and make a server for it that never listens; returns the status."""
    server = _load(command, ("127.0.0.1", 0), None)
    if isinstance(server, Exit):
        return server
    server.stop()
    sys.stdout.write(f"{command.target} can be served\n")
    return Exit.STOPPED


def _load(command: Command, place: Any, reporter: ModuleReporter | None) -> SocketIOServer | Exit:
    """Return a server with the application, or, once the reason is said, the exit status."""
    if command.patch:
        from gevent import monkey

        monkey.patch_all()
    _have_signals_wake_the_hub()
    try:
        application = load_application(command.target)
        _configure_logging(command.log_level)
        return _make_server(command, place, application)
    except ApplicationError as exc:
        sys.stderr.write(exc.report())
        if reporter is not None:
            reporter.report(exc.files())
        return Exit.NO_APPLICATION
    except ConfigError as exc:
        say(command.blame(exc))
        return Exit.USAGE
    except OSError as exc:
        say(f"cannot start: {_explain(command, exc)}")
        return Exit.CANNOT_START


def _have_signals_wake_the_hub() -> None:
    """Have the hub wake whenever a signal has come, for as long as the process lives.

    Python's handler of a signal runs when the main thread next runs Python. The hub looks for
    signals before it sleeps, but one that comes in between, or to another thread, would wait there
    for whatever wakes the hub: on an idle server, forever.
    """
    import gevent

    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    watcher = gevent.get_hub().loop.io(reader, 1, ref=False)
    watcher.start(_drain, reader)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)


def _drain(reader: int) -> None:
    with suppress(BlockingIOError):
        os.read(reader, 4096)


def _make_server(command: Command, place: Any, application: Any) -> SocketIOServer:
    from socketio.server import SocketIOServer

    options = _parse_options(command)
    options.pop("backlog", None)  # the socket listens already
    if not command.access_log:
        options["log"] = None
    server = SocketIOServer(place, application, **options)
    if command.stop_timeout is not None:
        server.stop_timeout = command.stop_timeout
    return server


def _parse_options(command: Command) -> dict[str, Any]:
    """Return the keywords of the server; this imports the modules that options name."""
    options: dict[str, Any] = {}
    for name, value in command.options.items():
        try:
            options |= parse_options({name: value})
        except ConfigError:
            raise
        except Exception as exc:  # noqa: BLE001 - of the application's module
            text = f"importing {str(value)!r} for {command.sources[name]} failed"
            raise ApplicationError(f"{text}: see the traceback above", exc) from None
    return options


def _explain(command: Command, error: OSError) -> str:
    """Say what cannot be used, and which option names it."""
    reason = error.strerror or str(error)
    for name, value in command.options.items():
        if error.filename is not None and str(value).strip() == str(error.filename):
            return f"{command.sources[name]}: {error.filename}: {reason}"
    if error.filename is None and "certfile" in command.options:
        return f"{command.sources['certfile']}: no usable certificate with its key: {error}"
    return str(error)


def _configure_logging(level: str | None) -> None:
    """Have our own loggers write to the standard error, unless the application has seen to it."""
    logger = logging.getLogger("socketio")
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(_LOG_FORMAT))
        logger.addHandler(handler)
        level = level or "info"
    if level is not None:
        logger.setLevel(level.upper())


def _run(
    command: Command,
    server: SocketIOServer,
    listener: Listener,
    interrupts: _Interrupts,
    reporter: ModuleReporter | None,
) -> int:
    import gevent

    loop = gevent.get_hub().loop
    follower = None
    try:
        server.start()
    except OSError as exc:  # of Flash's policy server
        say(f"cannot start: {exc}; see --policy-listener")
        return Exit.CANNOT_START
    try:
        interrupts.call = lambda: loop.run_callback_threadsafe(server.close)
        if reporter is not None:
            reporter.report()
            follower = gevent.spawn(_follow, reporter, server)
        _announce(command, server, listener)
        server.serve_forever()
    finally:
        if follower is not None:
            follower.kill()
        if not server.stopped:
            server.stop()
    return Exit.STOPPED


def _announce(command: Command, server: SocketIOServer, listener: Listener) -> None:
    where = listener.describe(tls=server.ssl_enabled)
    with suppress(*_NO_READER):  # it serves all the same
        sys.stdout.write(
            f"gevent-socketio {VERSION} serving {command.target} on {where} "
            f"(Socket.IO at /{server.resource}/1/)\n"
        )
        sys.stdout.flush()


def _follow(reporter: ModuleReporter, server: SocketIOServer) -> None:
    """Report modules that are imported later; end the server when its supervisor is gone."""
    import gevent

    while not reporter.orphaned():
        reporter.report()
        gevent.sleep(_REPORT_SECONDS)
    server.close()


class _Interrupts:
    """SIGINT and SIGTERM of this process: the first is a wish, a later SIGINT is an order.

    Handlers of Python's own and not gevent's: they run even when a handler of the application keeps
    the hub from running. For the same reason the time to stop ends with a signal, not with a timer
    of gevent's.

    Args:
        clean_up: Called before the process ends at once.
        patience: Seconds until then, whoever holds it: a handler, or a thread.
    """

    def __init__(self, clean_up: Callable[[], object], patience: float) -> None:
        self.call: Callable[[], object] | None = None
        """Begins the graceful stop, from anywhere; None means that there is nothing to stop."""
        self._clean_up = clean_up
        self._patience = patience
        self._asked = False
        self._stopping = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._asked:
            if number == signal.SIGINT:
                self._end_now()
            return
        self._asked = True
        signal.signal(signal.SIGALRM, self._on_alarm)
        self._stop()

    def _stop(self) -> None:
        if self.call is None:
            # Raised in the midst of code that lets no exception out, it is lost: so once more.
            signal.setitimer(signal.ITIMER_REAL, _AGAIN)
            raise Interrupted
        self._stopping = True
        signal.setitimer(signal.ITIMER_REAL, self._patience + GRACE)
        _blurt(f"stopping, within {self._patience:g} s; ^C ends at once")
        self.call()

    def calm_down(self) -> None:
        """The server has ended: what is left is the application's, and may take its time."""
        if self._asked:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _on_alarm(self, _number: int, _frame: FrameType | None) -> None:
        if not self._stopping:
            self._stop()
            return
        _blurt(f"the server has not stopped in {self._patience + GRACE:g} s, it is killed")
        self._end_now()

    def _end_now(self) -> None:
        self._clean_up()
        with suppress(RuntimeError, OSError):  # in the midst of a write to them
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(Exit.INTERRUPTED)


def _name_threads() -> None:
    """Say whom Python waits for at the end of the process."""
    import threading  # not before it is patched

    main = threading.main_thread()
    threads = [it.name for it in threading.enumerate() if not (it.daemon or it is main)]
    if threads:
        say(f"waiting for the application's threads: {', '.join(threads)}; ^C ends at once")


def _blurt(text: str) -> None:
    """Do as :func:`say` in the handler of a signal, which may come in the midst of a write."""
    with suppress(*_NO_READER):
        os.write(sys.stderr.fileno(), f"gevent-socketio: {text}\n".encode())
