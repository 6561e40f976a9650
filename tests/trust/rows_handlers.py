"""F30, F31 and F62: code of the application that fails, and what the client sees of that."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.client import Connection, event, fetch
from tests.streams import ALL_CLIENTS
from tests.trust.apps_failing import KINDS, PLACES, SECRET, UNWRITABLE
from tests.trust.rows import Figure, row
from tests.trust.stage import Place, Stage

_APP = "tests.trust.apps_failing:namespaces"
LEAKS = re.compile(
    rf"{SECRET}|password|Traceback|File \"|\.py\b|site-packages|/work|/tmp|<frozen|object at 0x"
    r"|[A-Z][a-z]+Error\b|GreenletExit|SystemExit|BaseException|JSON serializable|Circular"
    r"|socketio\.",
)
"""What would tell a client how the server is made."""


@dataclass
class Session:
    """A client that keeps all that it is told."""

    place: Any
    transport: str = "websocket"
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = ALL_CLIENTS[self.transport](self.place).open()
        self.say()  # opens the global namespace: with the last one that is left the session ends

    def say(self, *packets: str) -> list[str]:
        """Send packets; return what is told until the session has answered the echo behind them."""
        begin = len(self.told)
        self.client.send(*packets, event("echo", 1, msgid="99+"))
        while (text := self.client.recv()) != "6:::99+[1]":
            self.told.append(text)
        return self.told[begin:]

    def lives(self) -> bool:
        try:
            self.say()
        except (OSError, EOFError, AssertionError):  # a poll that is answered 400 is the last
            return False
        return True

    def end(self) -> None:
        try:
            self.client.send("0::")
        except (OSError, EOFError, AssertionError):
            pass
        self.client.close()


def endpoint_of(where: str, kind: str) -> str:
    return f"/{where}-{list(KINDS).index(kind)}"


def provoke(session: Session, where: str, kind: str) -> None:
    """Have the application fail."""
    endpoint = endpoint_of(where, kind)
    if where == "ack":
        said = session.say(event("ask", endpoint=endpoint))
        [question] = [text for text in said if text.startswith("5:")]
        session.say(f"6::{endpoint}:{question.split(':')[1]}[1]")
    elif where == "error_handler":
        session.say(event("missing", endpoint=endpoint, msgid="7+"))
    elif where == "recv_disconnect":
        session.say(f"1::{endpoint}", f"0::{endpoint}")
    elif where in ("recv_connect", "initialize"):
        session.say(f"1::{endpoint}")
    else:
        session.say(event("go", endpoint=endpoint, msgid="7+"))


def count_failures(place: Place) -> int:
    errors = place.stats()["errors"]
    return int(errors.get("handler_failed", 0) + errors.get("error_handler_failed", 0))


def judge(place: Place, session: Session, where: str, kind: str) -> list[str]:
    """Return what is not as it has to be after ``kind`` was raised in ``where``."""
    wrong = []
    if not session.lives():
        wrong.append("the session ended")
    lines = re.findall(rf"^ERROR .*session {session.client.sessid[:6]}.*$", place.log(), re.M)
    if len(lines) != 1:
        wrong.append(f"{len(lines)} lines in the log")
    # The event, or the place, has to be there too.
    said = {"handler": "go", "json_dumps": "the answer", "recv_connect": "connect"}
    said |= {"initialize": "namespace", "error_handler": "error handler"}
    if lines and said.get(where, where) not in lines[0]:
        wrong.append(f"the line does not say what failed: {lines[0]!r}")
    refused = f"0::{endpoint_of(where, kind)}" in session.told
    if where in ("recv_connect", "initialize") and not refused:
        wrong.append("the namespace was not refused")
    return wrong


def fail_in(
    place: Place, where: str, kinds: list[str], transport: str
) -> tuple[dict[str, list[str]], str]:
    """Raise ``kinds`` in one place of the application.

    Return what was wrong by place and kind, the empty list for nothing; and all that clients saw.
    """
    results, told, before = {}, [], count_failures(place)
    for kind in kinds:
        session = Session(place, transport)
        try:
            provoke(session, where, kind)
            wrong = judge(place, session, where, kind)
        except (OSError, EOFError, AssertionError, ValueError) as exc:
            wrong = [f"the session ended: {exc!r:.80}"]
        results[f"{where} {kind}"] = wrong
        session.end()
        told += session.told
    counted = count_failures(place) - before
    if counted != len(kinds):
        results[f"{where} {kinds[0]}"].append(f"{counted} of {len(kinds)} counted")
    return results, "\n".join(told)


def run_table(stage: Stage, transport: str) -> tuple[dict[str, list[str]], str, list[Place]]:
    """Raise everything everywhere; return as `fail_everywhere` does, and the servers."""
    # Two servers: one tells of five failures of a kind in ten seconds, and here are six.
    places = [stage.serve(_APP), stage.serve(_APP)]
    results: dict[str, list[str]] = {}
    kinds, told = list(KINDS), ""
    for place, some in zip(places, (kinds[:3], kinds[3:]), strict=True):
        for where in PLACES:
            found, text = fail_in(place, where, some, transport)
            results.update(found)
            told += text
    return results, told, places


@row(
    "F30",
    "6 kinds of exception raised in 7 places of the application",
    passes="42 of 42: the session lives, one line with its id and what failed, counted once; a "
    "namespace that fails in initialize or recv_connect is refused",
    original="a handler that raised left a deaf session behind",
)
def failing_code(stage: Stage) -> Figure:
    results, _, _ = run_table(stage, "websocket")
    good = [cell for cell, wrong in results.items() if not wrong]
    bad = {cell: wrong for cell, wrong in results.items() if wrong}
    text = f"{len(good)} of {len(PLACES) * len(KINDS)}"
    return Figure(len(good) == 42, text + (f": {bad!r:.400}" if bad else ""))


@row(
    "F31",
    "handlers given too many or too few arguments, and answers that cannot be written",
    passes="every call answered with an error of one short word, nothing run; the session lives",
    original="TypeError ended the session",
)
def wrong_arguments(stage: Stage) -> Figure:
    place = stage.serve(_APP)
    takes = {"none": {0}, "two": {2}, "some": {1, 2}, "any": set(range(8))}
    takes["three_at_least"] = {3, 4, 5, 6, 7}
    transports = list(ALL_CLIENTS) if stage.scale >= 1 else ["websocket"]
    wrong, tried, ended, told = [], 0, 0, []
    for transport in transports:
        session = Session(place, transport)
        calls = [(name, n, n in allowed) for name, allowed in takes.items() for n in range(8)]
        for name, count, fits in calls:
            tried += 1
            ack = ['6::/strict:7+["ran"]']
            said = session.say(event(name, *range(count), endpoint="/strict", msgid="7+"))
            if (said != ack) if fits else not only_error(said, "invalid_args"):
                wrong.append(f"{name}({count}): {said!r:.100}")
        for how in ("return", "emit"):
            for what in UNWRITABLE:
                tried += 1
                said = session.say(event(how, what, endpoint="/strict", msgid="7+"))
                if not only_error(said, "internal_error"):
                    wrong.append(f"{how} {what}: {said!r:.100}")
        ended += not session.lives()
        session.end()
        told += session.told
    leaks = LEAKS.findall("\n".join(told))
    text = (
        f"{tried - len(wrong)} of {tried} calls answered as they should be over {len(transports)} "
        f"transports, {ended} sessions ended, {len(leaks)} leaks"
    )
    return Figure(not (wrong or ended or leaks), text + (f": {wrong[:3]}" if wrong else ""))


def only_error(said: list[str], word: str) -> bool:
    """Tell whether an error with ``word`` is all that was said, but for an empty answer."""
    errors = [text for text in said if f'"args":["{word}",' in text]
    rest = [text for text in said if text not in errors]
    return len(errors) == 1 and rest in ([], ["6::/strict:7+[null]"])


def failing_requests(place: Any) -> str:
    """Make requests that fail in every way; return all that was answered, headers included."""
    told = []
    for query in [*KINDS, "refuse", *[f"{kind}&jsonp=0" for kind in KINDS], "refuse&jsonp=0"]:
        answer = fetch(place, "GET", f"/socket.io/1/?{query}")
        told.append(f"{answer.status} {answer.headers} {answer.text}")
    targets = ["/socket.io/1/xhr-polling/nosuch", "/socket.io/1/nosuch/1", "/socket.io/9/"]
    targets += ["/socket.io/1/websocket/nosuch", "/socket.io/1/jsonp-polling/x?i=x"]
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
        for target in targets:
            answer = fetch(place, method, target, b"\xff" * 9 if method == "POST" else b"")
            told.append(f"{answer.status} {answer.headers} {answer.text}")
    connection = Connection(place)
    connection.send_raw(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: x\r\n\r\n")
    told.append(connection.read_to_end().decode("latin-1"))
    connection.close()
    return "\n".join(told)


@row(
    "F62",
    "what clients are told when the application or their input fails",
    passes="0 names or texts of exceptions, paths or tracebacks in all that is answered",
    short=False,
)
def leaking_errors(stage: Stage) -> Figure:
    transports = ["xhr-polling", "jsonp-polling", "htmlfile"]
    told, failures = "", 0
    for transport in transports:
        results, text, places = run_table(stage, transport)
        told += text
        failures += len(results)
    requests = failing_requests(places[0])
    raised = sum(place.stats()["errors"].get("authorize_failed", 0) for place in places)
    leaks = sorted(set(LEAKS.findall(told + requests)))
    errors = told.count("internal_error")
    text = (
        f"{len(leaks)} leaks in {len(told) + len(requests):,} characters told after {failures} "
        f"failures in sessions ({errors} errors told), {raised} in handshakes and "
        f"{requests.count(chr(10)) + 1} bad requests"
    )
    # Without errors there would be nothing to leak.
    whole = failures == 42 * len(transports) and errors >= 25 * len(transports) and raised >= 12
    return Figure(not leaks and whole, text + (f": {leaks[:5]}" if leaks else ""))
