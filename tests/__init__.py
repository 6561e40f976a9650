"""The tests, and who of their programs is measured."""

import os

# coverage follows every process that its variables reach. Most of the servers here are there
# to be fast, or to be killed: only those of tests/subprograms.py are measured.
_OF_COVERAGE = [name for name in os.environ if name.startswith("COVERAGE_PROCESS_")]
MEASURED = {name: os.environ.pop(name) for name in _OF_COVERAGE}
"""What the environment of a program has to have so that coverage follows it."""
