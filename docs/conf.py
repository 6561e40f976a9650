"""Configuration of the documentation."""

from __future__ import annotations

import json
import re
from importlib.metadata import version as _version
from pathlib import Path

project = "gevent-socketio"
copyright = "2026, the gevent-socketio maintainers"  # noqa: A001 - Sphinx's name
version = release = _version("gevent-socketio")

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
html_theme = "furo"
html_title = "gevent-socketio"
exclude_patterns = ["_build"]
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_default_options = {"members": True, "show-inheritance": True}
nitpicky = False


def _write_tables(_app: object) -> None:
    """Write the tables that the code knows best, so that they cannot drift from it."""
    import dataclasses

    from socketio.config import Settings
    from socketio.session.lifecycle import TRANSITIONS

    here = Path(__file__).parent
    rows = [".. list-table::", "   :header-rows: 1", "", "   * - name", "     - default"]
    rows.append("     - meaning")
    for entry in dataclasses.fields(Settings):
        rows += [f"   * - ``{entry.name}``", f"     - {entry.default}"]
        rows.append(f"     - {entry.metadata['effect']}")
    (here / "_settings_table.rst").write_text("\n".join([*rows, ""]))
    rows = [
        ".. list-table::",
        "   :header-rows: 1",
        "",
        "   * - state",
        "     - event",
        "     - next",
    ]
    for (state, event), following in TRANSITIONS.items():
        rows += [f"   * - {state.value}", f"     - {event.name}: {event.value}"]
        rows.append(f"     - {following.value}")
    (here / "_lifecycle_table.rst").write_text("\n".join([*rows, ""]))
    _write_results(here / "trust.json", here / "_trust_table.rst")


def _write_results(source: Path, target: Path) -> None:
    """Write the table of what ``make trust`` found, as ``docs/trust.json`` has it."""
    report = json.loads(source.read_text())
    passed = sum(row["ok"] for row in report["rows"])
    rows = [f"{passed} of {len(report['rows'])} rows hold; {report['seconds']} seconds.", ""]
    rows += [".. list-table::", "   :header-rows: 1", "   :widths: 8 40 40 12", ""]
    rows += ["   * - row", "     - what is done, and what must be measured"]
    rows += ["     - what was measured", "     - canary"]
    for row in report["rows"]:
        verdict = "" if row["ok"] else "**falls short:** "
        original = f" The original: {row['original']}." if row["original"] else ""
        canary = f"{row['canary_ms']:.0f} ms" if row["canary_ms"] else ""
        rows += [f"   * - {row['name']}", f"     - {_plain(row['title'])}: {_plain(row['passes'])}"]
        rows += [f"     - {verdict}{_plain(row['figure'])}.{_plain(original)}", f"     - {canary}"]
    rows += ["", "Not shown by this command:", ""]
    rows += [f"* {name}: {_plain(why)}." for name, why in report["elsewhere"].items()]
    target.write_text("\n".join([*rows, ""]))


def _plain(text: str) -> str:
    """Escape what reStructuredText would take for markup."""
    return re.sub(r"([*`|\\_<])", r"\\\1", " ".join(text.split()))


def setup(app: object) -> None:
    """Called by Sphinx."""
    app.connect("builder-inited", _write_tables)  # type: ignore[attr-defined]
