"""Draws the states of a session, and what leads from one to the next, from the table in the code.

Called by ``conf.py`` for every build, so that no picture can differ from what the library does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import schemdraw
from schemdraw import elements, flow

from socketio.session.lifecycle import TRANSITIONS, Event, State

__all__ = ["Way", "draw", "table", "ways", "write"]

# Of the page: the picture is part of it, and dark where the page is.
_INK = "currentColor"
# In half inches: of a box, between two of them, of a line of words, of the frame around them.
_WIDTH, _HEIGHT, _GAP, _LINE, _MARGIN, _BESIDE = 4.0, 1.0, 1.4, 0.45, 0.5, 2.6


@dataclass(frozen=True)
class Way:
    """One arrow: from one state, or from several that all go the same way."""

    sources: tuple[State, ...]
    target: State
    events: tuple[Event, ...]


def ways(transitions: Mapping[tuple[State, Event], State]) -> list[Way]:
    """Return the arrows for ``transitions``.

    Events that lead several neighbours to one and the same state share an arrow, which begins at a
    frame around those states.
    """
    order = list(State)
    from_several: dict[tuple[tuple[State, ...], State], list[Event]] = {}
    for event in Event:
        for target in State:
            sources = tuple(s for s in order if transitions.get((s, event)) is target)
            if sources and (target in sources or not _are_neighbours(sources)):
                for source in sources:
                    from_several.setdefault(((source,), target), []).append(event)
            elif sources:
                from_several.setdefault((sources, target), []).append(event)
    return [Way(sources, to, tuple(events)) for (sources, to), events in from_several.items()]


def _are_neighbours(states: Sequence[State]) -> bool:
    first = list(State).index(states[0])
    return list(State)[first : first + len(states)] == list(states)


def draw(transitions: Mapping[tuple[State, Event], State]) -> str:
    """Return the picture as the text of an SVG element."""
    drawn = ways(transitions)
    # Between two states there is room for the longest list of events that leads down.
    room = {way.target: _GAP + _LINE * len(way.events) for way in drawn if len(way.sources) > 1}
    drawing = schemdraw.Drawing(canvas="svg", show=False, unit=1, margin=0.2)
    drawing.config(color=_INK, fontsize=13, font="inherit", lw=1.5)
    boxes: dict[State, Any] = {}
    top = 0.0
    for state in State:
        top -= room.get(state, _GAP) if boxes else 0
        box = flow.RoundBox(w=_WIDTH, h=_HEIGHT).anchor("N").at((0, top)).label(str(state))
        boxes[state] = drawing.add(box)
        top -= _HEIGHT
    for way in drawn:
        _add(drawing, boxes, way)
    svg = drawing.get_imagedata("svg").decode()
    named = 'class="lifecycle" role="img" aria-label="The states of a session"'
    return svg.replace("<svg ", f'<svg {named} style="max-width: 100%; height: auto" ', 1)


def _add(drawing: Any, boxes: dict[State, Any], way: Way) -> None:
    first, last, target = boxes[way.sources[0]], boxes[way.sources[-1]], boxes[way.target]
    words = [event.name for event in way.events]
    if way.sources == (way.target,):
        loop = elements.Wire("c", k=0.6, arrow="->").at(_beside(first.E, 0, 0.25))
        drawing.add(loop.to(_beside(first.E, 0, -0.25)))
        _write(drawing, _beside(first.E, 0.8), words)
        return
    start = _frame(drawing, first, last) if len(way.sources) > 1 else last.S
    following = list(State).index(way.sources[-1]) + 1
    if list(State).index(way.target) == following:
        drawing.add(flow.Arrow().at(start).to(target.N))
        _write(drawing, _beside(start, 0.3, (target.N[1] - start[1]) / 2), words)
    else:  # past other states, or back
        drawing.add(elements.Wire("c", k=-1, arrow="->").at(last.W).to(target.W))
        _write(drawing, _beside(last.W, -0.8, (target.W[1] - last.W[1]) / 2), words)


def _beside(point: Any, right: float, up: float = 0) -> tuple[float, float]:
    return (point[0] + right, point[1] + up)


def _write(drawing: Any, point: tuple[float, float], words: Sequence[str]) -> None:
    """Write ``words`` below one another, around the height of ``point``."""
    for place, word in enumerate(words):
        line = _beside(point, 0, _LINE * ((len(words) - 1) / 2 - place))
        drawing.add(elements.Label().at(line).label(word, halign="left", valign="center"))


def _frame(drawing: Any, first: Any, last: Any) -> tuple[float, float]:
    """Draw a frame around a column of boxes; returns the middle of its lower edge."""
    height = first.N[1] - last.S[1] + 2 * _MARGIN
    frame = flow.Box(w=_WIDTH + 2 * _BESIDE, h=height, ls="--").anchor("N")
    return tuple(drawing.add(frame.at(_beside(first.N, 0, _MARGIN))).S)


def table(transitions: Mapping[tuple[State, Event], State]) -> str:
    """Return ``transitions`` as a table in reStructuredText."""
    rows = [".. list-table::", "   :header-rows: 1", ""]
    rows += ["   * - state", "     - event", "     - next"]
    for state in State:
        for event in Event:
            if (state, event) in transitions:
                rows += [f"   * - {state}", f"     - {event.name}: {event.value}"]
                rows.append(f"     - {transitions[state, event]}")
    return "\n".join([*rows, ""])


def write(folder: Path) -> None:
    """Write the picture and the table into ``folder``, where pages include them."""
    (folder / "_lifecycle.svg").write_text(draw(TRANSITIONS))
    (folder / "_lifecycle_table.rst").write_text(table(TRANSITIONS))
