"""Configuration of the documentation."""

from __future__ import annotations

from importlib.metadata import version as _version

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
    from pathlib import Path

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


def setup(app: object) -> None:
    """Called by Sphinx."""
    app.connect("builder-inited", _write_tables)  # type: ignore[attr-defined]
