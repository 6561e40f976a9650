"""The tests, and who of their programs is measured."""

import os

MEASURED: dict[str, str] = {}
"""What the environment of a program has to have so that coverage follows it."""


def keep_coverage_to_ourselves() -> None:
    """Take out of our environment what makes coverage follow programs; called once.

    Most of the servers here are there to be fast, or to be killed: only those of
    tests/subprograms.py are measured.
    """
    for name in [name for name in os.environ if name.startswith("COVERAGE_PROCESS_")]:
        MEASURED[name] = os.environ.pop(name)
