"""The picture of a session's states, read as a reader does: boxes, arrows and the words at them."""

from __future__ import annotations

import itertools
import re
import runpy
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

import pytest

from socketio.session.lifecycle import REASONS, TRANSITIONS, DisconnectReason, Event, State
from tests.subprograms import TOP

PICTURE = runpy.run_path(str(TOP / "docs" / "lifecycle_picture.py"))
SVG = "{http://www.w3.org/2000/svg}"
# An arrow ends a little before the box it points at, where its head begins.
NEAR = 12.0

Point = tuple[float, float]
Rectangle = tuple[float, float, float, float]


class Picture:
    """What is to be seen in an SVG: rectangles, lines that are arrows, and words in their place."""

    def __init__(self, text: str) -> None:
        root = ElementTree.fromstring(text)
        self.rectangles: list[Rectangle] = []
        self.arrows: list[tuple[Point, Point]] = []
        for path in root.iter(f"{SVG}path"):
            self._sort_in(path.attrib["d"])
        for polygon in root.iter(f"{SVG}polygon"):
            self.rectangles.append(_around(_points_of(polygon.attrib["points"])))
        self.words = [
            (span.text or "", (float(span.attrib["x"]), float(element.attrib["y"])), number)
            for element in root.iter(f"{SVG}text")
            for number, span in enumerate(element.iter(f"{SVG}tspan"))
        ]

    def _sort_in(self, line: str) -> None:
        points = _points_of(line)
        if line.rstrip().endswith("Z"):  # the head of an arrow
            return
        if (
            points[0][0] == points[-1][0]
            and abs(points[0][1] - points[-1][1]) < 1 < len(points) - 2
        ):
            self.rectangles.append(_around(points))
        else:
            self.arrows.append((points[0], points[-1]))

    def boxes(self) -> dict[str, Rectangle]:
        """Return the states: rectangles with one word in them."""
        found = {}
        for box in self.rectangles:
            within = [text for text, place, _ in self.words if _is_in(place, box)]
            if len(within) == 1:
                found[within[0]] = box
        return found

    def transitions(self) -> set[tuple[str, str, str]]:
        """Return what the arrows say: from which state, by which event, to which one."""
        boxes = self.boxes()
        frames = [box for box in self.rectangles if box not in boxes.values()]
        found = set()
        for start, end in self.arrows:
            sources = [name for name, box in boxes.items() if _touches(start, box)]
            for frame in frames:
                if not sources and _touches(start, frame):
                    sources = [name for name, box in boxes.items() if _is_in(box[:2], frame)]
            targets = [name for name, box in boxes.items() if _touches(end, box)]
            events = list(self._events_at(start, end))
            assert sources, (start, end)
            assert len(targets) == 1, (start, end)
            assert events, (start, end)
            found |= {(*way[:2], targets[0]) for way in itertools.product(sources, events)}
        return found

    def _events_at(self, start: Point, end: Point) -> Iterator[str]:
        """Yield the words beside the middle of an arrow, all lines of them."""
        upper, lower = sorted((start[1], end[1]))
        for text, (x, y), line in self.words:
            beside = 0 < x - max(start[0], end[0]) < 40
            # The place of a text is that of its first line.
            if beside and upper - 2 * NEAR < y < lower and text in Event.__members__:
                assert line < 10
                yield text


def _points_of(text: str) -> list[Point]:
    numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _around(points: list[Point]) -> Rectangle:
    across, down = zip(*points, strict=True)
    return (min(across), min(down), max(across), max(down))


def _is_in(place: Any, box: Rectangle) -> bool:
    return bool(box[0] < place[0] < box[2] and box[1] < place[1] < box[3])


def _touches(place: Point, box: Rectangle) -> bool:
    """Tell whether a point is on the border of a box, or just outside of it."""
    near = (box[0] - NEAR, box[1] - NEAR, box[2] + NEAR, box[3] + NEAR)
    within = (box[0] + 1, box[1] + 1, box[2] - 1, box[3] - 1)
    return _is_in(place, near) and not _is_in(place, within)


def told(transitions: Mapping[tuple[State, Event], State]) -> set[tuple[str, str, str]]:
    return {(str(state), event.name, str(to)) for (state, event), to in transitions.items()}


def test_every_state_is_in_the_picture_once() -> None:
    picture = Picture(PICTURE["draw"](TRANSITIONS))
    assert list(picture.boxes()) == [str(state) for state in State]
    words = [text for text, _, _ in picture.words]
    assert all(words.count(str(state)) == 1 for state in State)


def test_every_transition_of_the_table_is_in_the_picture_and_no_other() -> None:
    assert Picture(PICTURE["draw"](TRANSITIONS)).transitions() == told(TRANSITIONS)


@pytest.mark.parametrize("missing", sorted(TRANSITIONS, key=str), ids=str)
def test_what_leaves_the_table_leaves_the_picture(missing: tuple[State, Event]) -> None:
    fewer = {pair: to for pair, to in TRANSITIONS.items() if pair != missing}
    covered = {
        (source, event): way.target
        for way in PICTURE["ways"](fewer)
        for source in way.sources
        for event in way.events
    }
    assert covered == fewer


def test_a_way_back_or_past_a_state_is_drawn_too() -> None:
    more = {**TRANSITIONS, (State.NEW, Event.FINISHED): State.DISCONNECTED}
    text = PICTURE["draw"](more)
    assert len(Picture(text).arrows) == len(Picture(PICTURE["draw"](TRANSITIONS)).arrows) + 1


def test_the_picture_has_the_colours_of_its_page() -> None:
    colours = set(re.findall(r"(?:stroke|fill)[:=]\"?([\w#]+)", PICTURE["draw"](TRANSITIONS)))
    assert {colour.lower() for colour in colours} == {"currentcolor", "none"}


def test_the_table_has_a_row_for_every_transition() -> None:
    rows = re.findall(
        r"\* - (\w+)\n     - (\w+): .+\n     - (\w+)\n", PICTURE["table"](TRANSITIONS)
    )
    assert set(rows) == told(TRANSITIONS)
    assert len(rows) == len(TRANSITIONS)


def test_the_page_names_every_reason_of_every_ending_event() -> None:
    page = (TOP / "docs" / "concepts" / "states.rst").read_text()
    rows = re.findall(r"^``(\w+)`` +(``\w+``.*)$", page, re.MULTILINE)
    named = {event: set(re.findall(r"``(\w+)``", reasons)) for event, reasons in rows}
    assert named == {
        event.name: {reason.value for reason in reasons} for event, reasons in REASONS.items()
    }
    assert set().union(*named.values()) == {reason.value for reason in DisconnectReason}
