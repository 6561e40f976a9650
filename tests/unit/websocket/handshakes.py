"""Upgrade requests, good and bad."""

from __future__ import annotations

from typing import Any

# The example of RFC 6455, section 1.3.
KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def upgrade(
    *lines: str,
    version: str = "HTTP/1.1",
    method: str = "GET",
    target: str = "/feed?q=1",
    **changes: Any,
) -> bytes:
    """Return an upgrade request; a header of the usual ones may be changed, None leaves it out."""
    headers = {
        "Host": "h",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY,
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    fields = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([f"{method} {target} {version}", *fields, *lines, "", ""]).encode("latin-1")


GOOD: dict[str, dict[str, Any]] = {
    "as browsers ask": {},
    "among other tokens": {"Connection": "keep-alive, Upgrade"},
    "in any case": {"Connection": "UPGRADE", "Upgrade": "WebSocket"},
    "draft 7": {"Sec_WebSocket_Version": "7"},
    "draft 8": {"Sec_WebSocket_Version": "8", "Sec_WebSocket_Origin": "http://h"},
    "a subprotocol nobody speaks": {"Sec_WebSocket_Protocol": "chat, superchat"},
    "compression nobody offers": {"Sec_WebSocket_Extensions": "permessage-deflate"},
    "an empty body": {"Content_Length": "0"},
}


BAD: dict[str, dict[str, Any]] = {
    "no key": {"Sec_WebSocket_Key": None},
    "an empty key": {"Sec_WebSocket_Key": ""},
    "a short key": {"Sec_WebSocket_Key": "c2hvcnQ="},
    "a long key": {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZSBpcyB0b28gbG9uZw=="},
    "a key of 17 bytes": {"Sec_WebSocket_Key": "MDEyMzQ1Njc4OTAxMjM0NTY="},
    "a key with junk in it": {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==!!"},
    "a key with a blank in it": {"Sec_WebSocket_Key": "dGhlIHNhbXBs ZSBub25jZQ=="},
    "a key without padding": {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ"},
    "a key that is no base64": {"Sec_WebSocket_Key": "????????????????????????"},
    "a key outside ASCII": {"Sec_WebSocket_Key": "\xe9GhlIHNhbXBsZSBub25jZQ=="},
    "two keys": {"Sec_WebSocket_Key": f"{KEY}\r\nSec-WebSocket-Key: {KEY}"},
    "two versions": {"Sec_WebSocket_Version": "13\r\nSec-WebSocket-Version: 13"},
    "no version": {"Sec_WebSocket_Version": None},
    **{
        f"version {version!r}": {"Sec_WebSocket_Version": version}
        for version in ("", "0", "6", "9", "12", "14", "x", "013", "13, 8", "-13", "1", "130")
    },
    "Connection: notupgraded": {"Connection": "notupgraded"},
    "Connection: close": {"Connection": "close"},
    "no Connection": {"Connection": None},
    "Upgrade: websockets": {"Upgrade": "websockets"},
    "Upgrade: h2c": {"Upgrade": "h2c"},
    "two upgrades": {"Upgrade": "websocket, h2c"},
    "no Upgrade": {"Upgrade": None},
    "a body": {"Content_Length": "5"},
    "chunks": {"Transfer_Encoding": "chunked"},
    "HTTP/1.0": {"version": "HTTP/1.0"},
    "POST": {"method": "POST", "Content_Length": "0"},
    "HEAD": {"method": "HEAD"},
    "PUT": {"method": "PUT", "Content_Length": "0"},
    "hixie 76": {
        "Sec_WebSocket_Key": None,
        "Sec_WebSocket_Version": None,
        "Sec_WebSocket_Key1": "4 @1  46546xW%0l 1 5",
        "Sec_WebSocket_Key2": "12998 5 Y3 1  .P00",
    },
}
# These do not ask for a WebSocket at all; another handler may have an answer for them.
NO_UPGRADE = [name for name in BAD if "Connection" in name or "Upgrade" in name]
