"""``python -m socketio``: see :mod:`socketio.commandline`."""

from __future__ import annotations

import sys

import socketio.conflict  # noqa: F401 - refuses a package that is not ours
from socketio.commandline import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main(prog="python -m socketio"))
