"""Namespaces without an application: two clients in node."""

from __future__ import annotations

import signal

from tests.examples.stage import EXAMPLES, run_example
from tests.integration.jsclients import find_node
from tests.subprograms import TOP, running

SAY = EXAMPLES / "command_line" / "say.js"


def test_two_programs_hear_each_other() -> None:
    with run_example("command_line") as example:
        server = {"SERVER": example.url}
        with running([find_node(), SAY, "hello"], env=server, cwd=TOP) as first:
            first.wait_for_line(r"^hello$")
            with running([find_node(), SAY, "good", "morning"], env=server, cwd=TOP) as second:
                second.wait_for_line(r"^good morning$")
                first.wait_for_line(r"^good morning$")
            assert "hello" not in second.output()
        example.process.signal(signal.SIGTERM)
        assert example.process.wait() == 0
