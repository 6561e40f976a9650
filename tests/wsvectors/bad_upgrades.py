"""Requests for an upgrade that are none, and frames that come too early."""

from __future__ import annotations

from typing import Any

from tests.unit.websocket.frames import close_frame, frame, text
from tests.unit.websocket.handshakes import KEY
from tests.wsvectors.vector import Vector, vector


def _bad(name: str, **changes: Any) -> Vector:
    return vector(name, "status 400", upgrade=changes)


_KEYS = {
    "an empty key": "",
    "a key of 15 bytes": "MDEyMzQ1Njc4OTAxMjM0",
    "a key of 17 bytes": "MDEyMzQ1Njc4OTAxMjM0NTY=",
    "a key with junk": "dGhlIHNhbXBsZSBub25jZQ==!!",
    "a key with a blank in it": "dGhlIHNhbXBs ZSBub25jZQ==",
    "a key without padding": "dGhlIHNhbXBsZSBub25jZQ",
    "a key that is no base64": "\x3f" * 24,
    "a key outside ASCII": "\xe9GhlIHNhbXBsZSBub25jZQ==",
    "two keys": f"{KEY}\r\nSec-WebSocket-Key: {KEY}",
    "two keys in one line": f"{KEY}, {KEY}",
}
_VERSIONS = ("", "0", "12", "14", "abc", "013", "+13", "13.0", "13, 14", "-13", "\xb9\xb3")

BAD_UPGRADES: list[Vector] = [
    _bad("no key", Sec_WebSocket_Key=None),
    *[_bad(name, Sec_WebSocket_Key=key) for name, key in _KEYS.items()],
    _bad("no version", Sec_WebSocket_Version=None),
    *[_bad(f"version {version!a}", Sec_WebSocket_Version=version) for version in _VERSIONS],
    _bad("HTTP/1.0", version="HTTP/1.0"),
    _bad("HTTP/2.0", version="HTTP/2.0"),
    _bad("POST", method="POST", Content_Length="0"),
    _bad("get", method="get"),
    _bad("Connection: notupgraded", Connection="notupgraded"),
    _bad("Connection: close", Connection="close"),
    _bad("no Connection", Connection=None),
    _bad("Upgrade: websockets", Upgrade="websockets"),
    _bad("no Upgrade", Upgrade=None),
    vector("two upgrades", "status 426", upgrade={"Upgrade": "websocket, h2c"}),
    _bad("no Host", Host=None),
    _bad("two hosts", Host="h\r\nHost: i"),
    _bad("a key on two lines", Sec_WebSocket_Key="dGhlIHNhbXBs\r\n ZSBub25jZQ=="),
    _bad("a blank before a colon", Sec_WebSocket_Protocol="x\r\nX-A : y"),
    vector(
        "a body on the GET", "status 400", b"hello", upgrade={"Content_Length": "5"}, together=True
    ),
    vector(
        "chunks on the GET",
        "status 400",
        b"0\r\n\r\n",
        upgrade={"Transfer_Encoding": "chunked"},
        together=True,
    ),
    vector(
        "frames behind a refused upgrade",
        "status 400",
        text("3:::x"),
        upgrade={"Sec_WebSocket_Key": None},
        together=True,
    ),
    vector("a message with the upgrade", "echo x, open", text("3:::x"), together=True),
    vector("a breach with the upgrade", "close 1002", text("3:::x", masked=False), together=True),
    vector("a close with the upgrade", "close 4000", close_frame(4000), together=True),
    vector(
        "too long a message with the upgrade", "close 1009", frame(1, length=2**63), together=True
    ),
]
