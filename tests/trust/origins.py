"""Strangers' origins, and who asks in their name: what the rows about origins share."""

from __future__ import annotations

import re
from typing import Any

from websockets.exceptions import InvalidState

from tests.client import Answer, Connection, WebSocketClient, event
from tests.trust.stage import Place

__all__ = ["FOREIGN", "GOOD", "WAYS", "Caller", "end_named", "let_in", "lives", "victim"]

FOREIGN = [
    *[
        "http://evil.example",
        "https://evil.example",
        "http://evil.example:PORT",
        "ws://evil.example",
    ],
    *["null", "Null", "*", "", " ", "undefined", "file://", "about:blank", "data:text/html,x"],
    *[
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "http://127.0.0.1:PORT0",
        "http://127.0.0.1:0PORT1",
    ],
    *["https://127.0.0.1:PORT", "wss://127.0.0.1:PORT", "ftp://127.0.0.1:PORT"],
    *["http://localhost:PORT", "http://127.0.0.2:PORT", "http://[::1]:PORT", "http://0:PORT"],
    *["http://127.1:PORT", "http://2130706433:PORT", "http://0x7f000001:PORT"],
    *["http://127.0.0.1:PORT.evil.example", "http://127.0.0.1.evil.example:PORT"],
    *["http://evil-127.0.0.1:PORT", "http://evil.127.0.0.1:PORT", "http://127.0.0.1.:PORT"],
    *["http://evil@127.0.0.1:PORT", "http://127.0.0.1:PORT@evil.example", "http://127.0.0.1:PORT/"],
    *[
        "http://127.0.0.1:PORT#evil.example",
        "http://127.0.0.1:PORT?evil",
        "http://127.0.0.1:PORT\\evil",
    ],
    *["http:127.0.0.1:PORT", "//127.0.0.1:PORT", "http://127.0.0.1:PORT, http://evil.example"],
    *[
        "http://evil.example http://127.0.0.1:PORT",
        "http://127.0.0.1%3APORT",
        "http://127。0。0。1:PORT",
    ],
    *["http://http://127.0.0.1:PORT", "http://127.0.0.1:PORT:PORT", "http://127.0.0.1:+PORT"],
]
"""Origins of strangers; PORT is the server's."""

GOOD: list[tuple[str, dict[str, str]]] = [
    ("http://127.0.0.1:PORT", {}),
    ("HTTP://127.0.0.1:PORT", {}),
    ("ws://127.0.0.1:PORT", {}),
    ("127.0.0.1:PORT", {}),
    ("http://public.example", {"X-Forwarded-Host": "public.example"}),
    ("https://public.example", {"X-Forwarded-Host": "public.example"}),
    ("https://PUBLIC.example", {"X-Forwarded-Host": "public.example, inner.example"}),
    (
        "https://public.example:8443",
        {"X-Forwarded-Host": "public.example:8443", "X-Forwarded-Proto": "https"},
    ),
    ("http://[::1]:8000", {"X-Forwarded-Host": "[::1]:8000", "X-Forwarded-Proto": "http"}),
    ("http://127.0.0.1:PORT", {"Sec-Fetch-Site": "same-origin"}),
]
"""Own origins, with what a proxy adds."""

WAYS = [
    *[("GET", "/1/"), ("POST", "/1/"), ("OPTIONS", "/1/"), ("GET", "/1/?jsonp=0")],
    *[("GET", f"/1/{name}/SID") for name in ("xhr-polling", "xhr-multipart", "htmlfile")],
    *[("POST", f"/1/{name}/SID") for name in ("xhr-polling", "xhr-multipart", "htmlfile")],
    *[("GET", "/1/jsonp-polling/SID?i=0"), ("POST", "/1/jsonp-polling/SID?i=0")],
    *[("OPTIONS", "/1/xhr-polling/SID"), ("GET", "/1//SID/?disconnect=1")],
]
"""Every request that is no upgrade."""


# What is refused is answered at once; what is served may wait for packets as long as it likes.
_PATIENCE = 2


class Caller:
    """Sends one request after the other; a refusal that ends the connection begins another."""

    def __init__(self, place: Place) -> None:
        self._place: Any = place
        self._connection: Connection | None = None

    def ask(self, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        """Send one request; the origins in ``headers`` are made this server's."""
        port = str(self._place.server_port)
        headers = {
            name: value.replace("PORT", port).encode().decode("latin-1")
            for name, value in headers.items()
        }
        if self._connection is None:
            self._connection = Connection(self._place)
            self._connection.sock.settimeout(_PATIENCE)
        connection = self._connection
        lines = [f"{method} /socket.io{target} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(body)}"] if method == "POST" else []
        connection.send_raw("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        try:
            answer = connection.read_answer(head=method == "HEAD")
        except (OSError, EOFError):
            self.close()
            return Answer(0, {}, b"served, and no answer yet")
        if answer.headers.get("connection") == "close" or answer.status == 101:
            self.close()
        return answer

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def let_in(answer: Answer) -> bool:
    """Tell whether the page got anything out of its request, or may read the answer."""
    if any(name.startswith("access-control") for name in answer.headers):
        return True
    if answer.status == 403:
        return False
    return answer.text != 'io.j[0](new Error("handshake bad origin"));'


def victim(place: Place) -> WebSocketClient:
    """Return a session that strangers know."""
    return WebSocketClient(place).open()  # type: ignore[arg-type]  # it has what clients use


def lives(client: WebSocketClient) -> bool:
    """Tell whether a session is as it was: nobody spoke for it, and it is answered."""
    try:
        client.send(event("echo", "mine", msgid="7+"))
        return client.recv() == '6:::7+["mine"]'
    except (OSError, EOFError, InvalidState):
        return False


def end_named(place: Place, answer: Answer) -> None:
    """End the session that an answer names, if it names one."""
    if found := re.search(r"\b\d{40}\b", answer.text):
        caller = Caller(place)
        caller.ask("GET", f"/1//{found[0]}/?disconnect", {})
        caller.close()
