"""An application whose own code fails, in every place where it is called and in every way."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import gevent

from socketio.defaultjson import default_json_dumps
from socketio.errors import UnauthorizedError
from socketio.namespace import BaseNamespace
from socketio.virtsocket import default_error_handler

SECRET = "swordfish"
"""In the text of every exception; no client may see it."""

KINDS = {
    "Exception": f"raise ValueError('the password is {SECRET}')",
    "GreenletExit": f"raise gevent.GreenletExit('the password is {SECRET}')",
    "BaseException": f"raise BaseException('the password is {SECRET}')",
    "SystemExit": f"raise SystemExit('the password is {SECRET}')",
    # These two are the real ones.
    "MemoryError": f"{SECRET} = bytearray(2**62)",
    "RecursionError": f"def {SECRET}():\n    {SECRET}()\n{SECRET}()",
}
"""What is raised -> the code that does."""

PLACES = (
    *("handler", "recv_connect", "recv_disconnect", "initialize"),
    *("ack", "error_handler", "json_dumps"),
)
"""Where it is raised."""


def facts() -> dict[str, Any]:
    """Return what the rows may ask for."""
    return {}


_lines = itertools.count()


def raiser(kind: str) -> Callable[..., Any]:
    """Return a function that fails on a line of its own, for lines are told apart in the log."""
    # In this file, so that the log finds its source as it does of any other code.
    line = 1 + next(_lines)
    code = compile("\n" * line + KINDS[kind], __file__, "exec")

    def fail(*_args: Any) -> Any:
        exec(code, {"gevent": gevent})

    return fail


RAISERS = {
    f"/{place}-{number}": raiser(kind) for place in PLACES for number, kind in enumerate(KINDS)
}
"""Endpoint -> what fails there."""


class Root(BaseNamespace):
    """What the session goes on with."""

    def on_echo(self, *args: Any) -> Any:
        return args


class Failing(BaseNamespace):
    """Fails where its endpoint says."""

    def initialize(self) -> None:
        self.socket.error_handler = handle_error
        self.socket.json_dumps = dumps
        self.fail_in("initialize")

    def fail_in(self, place: str) -> None:
        if self.ns_name.startswith(f"/{place}-"):
            RAISERS[self.ns_name]()

    def recv_connect(self) -> None:
        self.fail_in("recv_connect")

    def recv_disconnect(self) -> None:
        self.fail_in("recv_disconnect")
        super().recv_disconnect()

    def on_go(self) -> Any:
        self.fail_in("handler")
        return {"poison": self.ns_name}

    def on_ask(self) -> None:
        self.emit("question", callback=RAISERS[self.ns_name])


def handle_error(socket: Any, name: str, text: str, endpoint: str, *rest: Any) -> None:
    """Report an error, or fail in doing so."""
    if endpoint and endpoint.startswith("/error_handler-"):
        RAISERS[endpoint]()
    default_error_handler(socket, name, text, endpoint, *rest)


def dumps(data: Any) -> str:
    """Write JSON, or fail in doing so."""
    for poison in [part["poison"] for part in data if isinstance(part, dict) and "poison" in part]:
        if poison.startswith("/json_dumps-"):
            RAISERS[poison]()
    return default_json_dumps(data)


class Odd:
    """Has no JSON form, and a name that says too much."""

    def __repr__(self) -> str:
        return f"<{SECRET}>"


class Worse:
    """Fails when somebody wants to say what it is."""

    def __repr__(self) -> str:
        raise RuntimeError(SECRET)


def endless() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


def deep() -> list[Any]:
    found: list[Any] = []
    for _ in range(100_000):
        found = [found]
    return found


UNWRITABLE: dict[str, Callable[[], Any]] = {
    "object": Odd,
    "worse": Worse,
    "class": lambda: Odd,
    "set": lambda: {SECRET},
    "bytes": lambda: SECRET.encode(),
    "nan": lambda: float("nan"),
    "infinity": lambda: [float("-inf")],
    "keys": lambda: {(1, SECRET): 2},
    "mixed": lambda: {1: 1, SECRET: 2},
    "endless": endless,
    "deep": deep,
    "generator": lambda: (SECRET for _ in range(2)),
    "exception": lambda: ValueError(SECRET),
    "nested": lambda: {"a": [1, {"b": Odd()}]},
}
"""Values without a JSON form."""


class Strict(BaseNamespace):
    """Handlers that take so many arguments and no more, and one that returns anything."""

    def recv_connect(self) -> None:
        """Let everybody in."""

    def on_none(self) -> str:
        return "ran"

    def on_two(self, _a: Any, _b: Any) -> str:
        return "ran"

    def on_some(self, _a: Any, _b: Any = None) -> str:
        return "ran"

    def on_any(self, *_args: Any) -> str:
        return "ran"

    def on_three_at_least(self, _a: Any, _b: Any, _c: Any, *_args: Any) -> str:
        return "ran"

    def on_return(self, what: str) -> Any:
        return UNWRITABLE[what]()

    def on_emit(self, what: str) -> None:
        self.emit("said", UNWRITABLE[what]())


namespaces: dict[str, Any] = {"": Root, "/strict": Strict, **dict.fromkeys(RAISERS, Failing)}


def authorize(environ: dict[str, Any]) -> bool:
    """Fail in the way that the query names."""
    query = environ["QUERY_STRING"]
    if "refuse" in query:
        raise UnauthorizedError(SECRET)
    for kind in KINDS:
        if kind in query:
            raiser(kind)()
    return True


def prepare(settings: dict[str, Any]) -> dict[str, Any]:
    """Give the server a door that fails too."""
    return {**settings, "authorize": authorize}
