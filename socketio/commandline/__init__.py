"""``python -m socketio module:app``: serve an application without a line of code.

.. versionadded:: 1.0
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

import socketio.conflict  # noqa: F401 - first: it tells when another package has our name
from socketio.commandline.listening import CannotListenError, Listener
from socketio.commandline.parser import Exit
from socketio.commandline.reloading import Supervisor
from socketio.commandline.serving import GRACE, check, say, serve
from socketio.commandline.values import Command, parse_command

__all__ = ["main"]


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Serve what the command line names until SIGINT or SIGTERM. Blocks.

    Call it in the main thread, first thing: it patches the standard library, takes over both
    signals and, with ``--reload``, forks.

    Args:
        argv: The arguments; None: those of the process.
        prog: The name of the program, for its messages; None: that of the process.

    Returns:
        The exit status, see :class:`~socketio.commandline.parser.Exit`.

    Raises:
        SystemExit: For ``--help``, ``--version`` and mistakes in the arguments.
    """
    command = parse_command(argv, os.environ, prog)
    if command.check:
        return check(command)
    try:
        with Listener(command.address, command.backlog) as listener:
            if command.reload:
                return _supervise(command, listener)
            return serve(command, listener)
    except CannotListenError as exc:
        say(str(exc))
        return Exit.CANNOT_START


def _supervise(command: Command, listener: Listener) -> int:
    supervisor = Supervisor(
        partial(serve, command, listener),
        directories=command.reload_dirs,
        # What an option names may be what is mended.
        retry=(Exit.NO_APPLICATION, Exit.USAGE),
        patience=command.patience + GRACE + 1,  # should the server not even end itself
        say=say,
    )
    return supervisor.run()
