"""``log_file=``: the access log of a server in a file of its own."""

from __future__ import annotations

import logging
import os
from logging.handlers import WatchedFileHandler

__all__ = ["access_logger", "open_access_log"]


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
