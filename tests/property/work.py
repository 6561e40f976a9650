"""Work counted, not timed: a count is the same on every machine."""

import gc
import sys

# Linear code is through with a million characters in milliseconds, quadratic code would need
# hours: the time limit of the test run is the assertion.
MILLION = 1_000_000


def count_calls(function, *args):
    """Return how many functions, of Python or of C, a call of ``function`` calls."""
    calls = 0

    def profile(_frame, event, _arg):
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    gc.collect()
    gc.disable()  # what other tests have left would be finalized here, and counted
    sys.setprofile(profile)
    try:
        function(*args)
    finally:
        sys.setprofile(before)
        gc.enable()
    return calls


class CountingText(str):
    """A text that counts how many characters are cut out of it, in whatever encoding."""

    __slots__ = ("copied",)

    def __init__(self, _text):
        self.copied = 0

    def __getitem__(self, key):
        part = super().__getitem__(key)
        self.copied += len(part)
        return part

    def encode(self, *args):
        data = CountingBytes(super().encode(*args))
        data.text = self
        return data


class CountingBytes(bytes):
    """The encoded form of a :class:`CountingText`; what is cut out counts there."""

    def __getitem__(self, key):
        part = super().__getitem__(key)
        self.text.copied += len(part)
        return part
