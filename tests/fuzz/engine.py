"""The search in one target, in a process of its own: it ends only by ending the process."""

from __future__ import annotations

import importlib
import sys

import atheris

from tests.fuzz import TARGETS

_WATCHED = ["socketio", "websockets", "tests.fuzz"]
# Parsers of the standard library that decide with us; somebody has imported them by now.
_PARSERS = ["urllib.parse", "http.client", "email.parser", "email.feedparser"]
for _name in _PARSERS:
    sys.modules.pop(_name, None)

with atheris.instrument_imports(include=_WATCHED + _PARSERS):
    # What decides about bytes; all else would only slow the search down.
    _FUZZ = {target: importlib.import_module(f"tests.fuzz.{target}").fuzz for target in TARGETS}


def run(target: str, flags: list[str]) -> None:
    """Search in ``target``; ``flags`` are libFuzzer's."""
    atheris.Setup([target, *flags], _FUZZ[target])
    atheris.Fuzz()


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2:])
