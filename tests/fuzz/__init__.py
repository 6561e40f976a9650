"""Invariants over arbitrary bytes, and a fuzzer that looks for bytes that break them.

One module a target, with ``fuzz(data)``: an AssertionError, or any other exception, is a finding.
``python -m tests.fuzz`` searches with atheris; ``test_fuzz_invariants.py`` holds the same
invariants against the seeds and what Hypothesis makes of them.
"""

TARGETS = ("packet", "payload", "jsonp", "httpcheck", "websocket")
