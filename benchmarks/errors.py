"""What can go wrong with one figure."""

from __future__ import annotations

__all__ = ["BenchError", "NotMeasuredError"]


class BenchError(Exception):
    """The server did not start, did not answer, or answered with something else than expected."""


class NotMeasuredError(Exception):
    """A server cannot be installed or run here; the message says why, in one line."""
