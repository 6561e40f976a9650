"""What an access log may say, and ``log_file=``: that of a server in a file of its own."""

from __future__ import annotations

import logging
import os
import re
from logging.handlers import WatchedFileHandler

__all__ = ["access_logger", "loggable", "open_access_log"]

# A session id is a credential: 40 digits, of which a log needs the first.
_SESSID = re.compile(r"(?<!\d)(\d{6})\d{34}(?!\d)", re.ASCII)
_MOST_LOGGED = 1000


def open_access_log(path: str | os.PathLike[str]) -> WatchedFileHandler:
    """Return the open file; raises OSError when it cannot be written.

    A file that was moved away, as logrotate does, is left for a new one; one that was closed is
    opened again for the next line.
    """
    return WatchedFileHandler(path, encoding="utf-8")


def access_logger(handler: WatchedFileHandler) -> logging.Logger:
    """Return a logger that writes the lines of pywsgi to ``handler`` and nowhere else."""
    logger = logging.Logger("socketio.access", logging.INFO)  # noqa: LOG001 - of this server alone
    logger.addHandler(handler)
    return logger


def loggable(text: str) -> str:
    """Return what a client sent as a log may have it: session ids shortened, escaped, and cut."""
    # Cut last: one byte may make four characters.
    return ascii(_SESSID.sub(r"\1...", text))[1:-1][:_MOST_LOGGED]
