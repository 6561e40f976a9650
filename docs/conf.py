"""Configuration of the documentation."""

from __future__ import annotations

import json
import os
import re
import statistics
import sys
from importlib.metadata import version as _version
from pathlib import Path
from typing import Any

project = "gevent-socketio"
copyright = "2026, the gevent-socketio maintainers"  # noqa: A001 - Sphinx's name
version = release = _version("gevent-socketio")

# What every page that installs the library says, until it is released.
rst_prolog = """
.. |install-note| replace:: 1.0 is not on PyPI yet; ``pip install gevent-socketio`` would get 0.3,
   for Python 2. Until then :ref:`install from a checkout <tutorial-install>`, with the path of the
   checkout in place of the name.
"""
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
]
copybutton_prompt_text = "$ "
html_theme = "furo"
html_title = "gevent-socketio"
html_static_path = ["_static"]
html_css_files = ["look.css"]
html_favicon = html_logo = "_static/icon.svg"
exclude_patterns = ["_build"]
autodoc_member_order = "bysource"
napoleon_use_ivar = True  # the fields of a named tuple would be described twice
autodoc_typehints = "description"
autodoc_default_options = {"members": True, "show-inheritance": True}
# Every name of ours must be there. What belongs to others is not linked: building these pages needs
# no network.
nitpicky = True
# A name, and the same where it is defined: no matter which.
suppress_warnings = ["ref.python"]
nitpick_ignore_regex = [
    ("py:.*", r"(argparse|bottle|collections|contextlib|django|email|enum|functools)(\..*)?"),
    ("py:.*", r"(gevent|geventwebsocket|greenlet|gunicorn|http|io|logging|os|pathlib)(\..*)?"),
    ("py:.*", r"(prometheus_client|pytest|re|socket|ssl|threading|types|websockets)(\..*)?"),
    ("py:.*", r"(.*\.)?[A-Z]"),  # type variables
    ("py:.*", r"(.*\.)?_.+"),
    # Bare names of others, as they are imported or as others' docstrings have them.
    ("py:.*", r"AppRegistryNotReady|CollectorRegistry|WSGIServer.get_environ|WebSocket(Error)?"),
    # Aliases of ours, and what has no page.
    ("py:.*", r"AbstractContextManager|JsonDumps|JsonLoads|.*\.TextQueue"),
]


def _write_tables(_app: object) -> None:
    """Write the tables that the code knows best, so that they cannot drift from it."""
    import dataclasses

    from socketio.commandline.parser import make_parser
    from socketio.config import Settings

    here = Path(__file__).parent
    os.environ["COLUMNS"] = "88"  # for argparse
    help_text = make_parser("python -m socketio").format_help()
    (here / "_commandline_help.txt").write_text(help_text)
    rows = [".. list-table::", "   :header-rows: 1", "", "   * - name", "     - default"]
    rows.append("     - meaning")
    for entry in dataclasses.fields(Settings):
        rows += [f"   * - ``{entry.name}``", f"     - {entry.default}"]
        rows.append(f"     - {entry.metadata['effect']}")
    (here / "_settings_table.rst").write_text("\n".join([*rows, ""]))
    _write_results(here / "trust.json", here / "_trust_table.rst")
    # Of the repository, not of the package: what makes the tables of the benchmarks is with them.
    sys.path[:0] = [str(here), str(here.parent)]
    try:
        import lifecycle_picture

        lifecycle_picture.write(here)
        _write_bench(here / "bench.json", here / "_bench_table.rst")
        _write_growth(here / "growth.json", here / "_growth_table.rst")
        _write_features(here / "features.json", here / "_features_table.rst")
        _write_instructions(here / "_instructions_table.rst")
    finally:
        del sys.path[:2]


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


# -- speed -----------------------------------------------------------------------------------------

_RATE, _SIZE = "per CPU second", "KiB, less is better"
_ROWS = {
    "echo32x1": ("echo, 32 B, 1 in flight", _RATE),
    "echo32x4": ("echo, 32 B, 4 in flight", _RATE),
    "echo4k": ("echo, 4 KiB, 4 in flight", _RATE),
    "broadcast": ("broadcast to 200, 64 B, deliveries", _RATE),
    "polling": ("echo by xhr-polling, 32 B", _RATE),
    "sessions": ("sessions, from handshake to good-bye", _RATE),
    "memory": ("memory of an idle WebSocket", _SIZE),
}
_ONES_OWN = "ours+orjson"
# Columns of the curves that are in the file only: with them the page is not wide enough.
_TOO_MUCH = ("at echoes/s", "server, % of a core", "sent late, p99 ms")
# What is closer than this is called equal.
_EQUAL = 0.05


def _write_bench(source: Path, target: Path) -> None:
    """Write the figures of ``python -m benchmarks``, and where others are ahead."""
    from benchmarks.table import tables, warnings

    found = json.loads(source.read_text())
    results = _results(found)
    blocks = [_measured_on(found["machine"], found["checkout"]), _versions(found["versions"])]
    # Nearly all rows have that unit, which the text names: the columns are narrow enough.
    unit = f" ({_RATE})"
    for title, lines in tables(results):
        blocks.append(_table(title, [[cell.removesuffix(unit) for cell in line] for line in lines]))
    blocks += ["\n".join(f"* {_plain(line)}." for line in warnings(results))]
    blocks += ["Where others are ahead of ours in this run, with the ratio:", _ahead(results)]
    target.write_text("\n\n".join(block for block in blocks if block) + "\n")


def _results(found: dict[str, Any]) -> Any:
    """Return the figures of a file as the tables want them."""
    from benchmarks.table import Results

    present = {figure["row"] for figure in found["figures"]}
    rows = {name: title for name, title in _ROWS.items() if name in present}
    rows |= {name: (name, "") for name in sorted(present - set(rows))}
    results = Results(rows, [*found["versions"], *found["absent"]], dict(found["absent"]))
    for figure in found["figures"]:
        cell = results.cell(figure["row"], figure["server"])
        if "failure" in figure:
            cell.failure = cell.failure or figure["failure"]
            continue
        cell.values[figure["round"]] = figure["value"]
        if "wall" in figure:
            cell.server_shares.append(figure["server_cpu"] / figure["wall"])
            cell.load_shares.append(figure["load_cpu"] / figure["wall"])
    return results


def _ahead(results: Any) -> str:
    """Return a list of the servers that do something better than ours, and what."""
    from benchmarks.table import ratios

    lines = []
    ours, *others = results.servers
    for name in others:
        better = []
        for row, (title, unit) in results.rows.items():
            known = ratios(results.cell(row, ours).values, results.cell(row, name).values)
            ratio = statistics.median(known) if known else 1.0
            worth = 1 / ratio if unit == _SIZE else ratio
            if worth < 1 - _EQUAL and name != _ONES_OWN:
                better.append(f"{title} ({ratio:.2f})")
        lines += [f"* ``{name}``: {'; '.join(better)}."] if better else []
    return "\n".join(lines) or "* Nowhere by more than five percent."


def _write_growth(source: Path, target: Path) -> None:
    """Write the figures of ``python -m benchmarks.growth``."""
    from benchmarks.growth_figures import Curves, tables

    curves = Curves.from_plain(json.loads(source.read_text()))
    blocks = [_measured_on(curves.about, curves.about["ours"])]
    for title, lines in tables(curves):
        shown = [at for at, head in enumerate(lines[0]) if head not in _TOO_MUCH]
        if len(lines) > 1:
            blocks.append(_table(title, [[line[at] for at in shown] for line in lines]))
    blocks += ["\n".join(f"* Failed: {what}: {_plain(why)}." for what, why in curves.gaps.items())]
    target.write_text("\n\n".join(block for block in blocks if block) + "\n")


def _write_features(source: Path, target: Path) -> None:
    """Write the figures of ``python -m benchmarks.features``."""
    from benchmarks.features_figures import Costs, grid, warnings

    costs = Costs.from_plain(json.loads(source.read_text()))
    blocks = [_measured_on(costs.about, costs.about["ours"])]
    blocks.append(_table("CPU time of one echo", grid(costs)))
    blocks += ["\n".join(f"* {_plain(line)}." for line in warnings(costs))]
    target.write_text("\n\n".join(block for block in blocks if block) + "\n")


def _write_instructions(target: Path) -> None:
    """Write the instructions that are recorded for ``python -m benchmarks.guard``."""
    from benchmarks.guard import RECORDED, Record
    from benchmarks.scenarios import SCENARIOS

    record = Record.load(RECORDED)
    lines = [["scenario", "what is done", "instructions", "per"]]
    for name, number in record.instructions.items():
        done = SCENARIOS[name].prepare.__doc__ or ""
        lines.append([name, done, f"{number:,}", SCENARIOS[name].unit])
    made = ", ".join(f"{name} {value}" for name, value in record.conditions.items())
    target.write_text(f"Recorded with {made}.\n\n{_table('Instructions', lines)}\n")


def _table(title: str, lines: list[list[str]]) -> str:
    """Return a table of cells that are plain text, the first line being its head."""
    from benchmarks.table import rst

    # A dash alone would be a list, and within names lines would be broken at it.
    cells = [["\\-" if cell == "-" else _plain(cell) for cell in line] for line in lines]
    return rst([[line[0].replace("node-", "node\u2011"), *line[1:]] for line in cells], title)


def _measured_on(machine: dict[str, Any], commit: str) -> str:
    return f"Measured on {machine['cores']} cores of {machine['processor']}; ours was {commit}."


def _versions(servers: dict[str, dict[str, str]]) -> str:
    lines = []
    for server, parts in servers.items():
        lines.append(f"* ``{server}``: {', '.join(f'{n} {v}' for n, v in parts.items())}")
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Escape what reStructuredText would take for markup."""
    return re.sub(r"([*`|\\_<])", r"\\\1", " ".join(text.split()))


def setup(app: object) -> None:
    """Called by Sphinx."""
    app.connect("builder-inited", _write_tables)  # type: ignore[attr-defined]
