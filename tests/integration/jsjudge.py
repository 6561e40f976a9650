"""A JavaScript engine that tells what a script does."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from socketio.namespace import BaseNamespace
from tests.integration.jsclients import DEADLINE, JS, find_node


def evaluate(scripts: list[str], **page: str) -> list[dict[str, Any]]:
    """Return what each script did; it may do nothing but call the callback of the page."""
    done = subprocess.run(
        [find_node(), str(JS / "evaluate.js")],
        input=json.dumps({**page, "scripts": scripts}).encode(),
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    outcome: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(outcome) == len(scripts)
    return outcome


def told(scripts: list[str], **page: str) -> list[Any]:
    """Return the one argument of the one call of each script, which has no other effect."""
    found = []
    for script, did in zip(scripts, evaluate(scripts, **page), strict=True):
        assert not did["effects"], (script, did)
        [[argument]] = did["calls"]
        found.append(argument)
    return found


def root() -> dict[str, Any]:
    return {"": type("Root", (BaseNamespace,), {})}
