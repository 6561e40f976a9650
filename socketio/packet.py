"""The Socket.IO 0.9 packet codec: dictionaries on one side, wire text on the other.

Pure: no gevent, no sockets, no logging. The grammar is section 3 of the protocol text::

    packet = type ":" [ id [ "+" ] ] ":" [ endpoint ] [ ":" data ]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias, TypedDict

from socketio.defaultjson import JSON, default_json_dumps, default_json_loads
from socketio.errors import DecodeError, EncodeError

__all__ = [
    "ADVICES_VALUES",
    "ERROR_ADVICES",
    "ERROR_REASONS",
    "MSG_TYPES",
    "MSG_VALUES",
    "REASONS_VALUES",
    "JsonDumps",
    "JsonLoads",
    "Packet",
    "decode",
    "encode",
    "socketio_packet_attributes",
]

JsonDumps: TypeAlias = Callable[[JSON], str]
JsonLoads: TypeAlias = Callable[[str], JSON]

MSG_TYPES = {
    "disconnect": 0,
    "connect": 1,
    "heartbeat": 2,
    "message": 3,
    "json": 4,
    "event": 5,
    "ack": 6,
    "error": 7,
    "noop": 8,
}
"""Packet type name -> number on the wire."""

MSG_VALUES = {number: name for name, number in MSG_TYPES.items()}
"""Number on the wire -> packet type name."""

ERROR_REASONS = {"transport not supported": 0, "client not handshaken": 1, "unauthorized": 2}
"""Reason of an error packet -> number on the wire."""

REASONS_VALUES = {number: name for name, number in ERROR_REASONS.items()}
"""Number on the wire -> reason of an error packet."""

ERROR_ADVICES = {"reconnect": 0}
"""Advice of an error packet -> number on the wire."""

ADVICES_VALUES = {number: name for name, number in ERROR_ADVICES.items()}
"""Number on the wire -> advice of an error packet."""

socketio_packet_attributes = [
    "type",
    "name",
    "data",
    "endpoint",
    "args",
    "ackId",
    "reason",
    "advice",
    "qs",
    "id",
]
"""The keys a packet dictionary may have (``ack`` goes with ``id``)."""


class Packet(TypedDict, total=False):
    """A packet as applications see it: a plain dictionary (section 3.1 of the protocol text)."""

    type: str
    endpoint: str
    id: int
    ack: Literal[True, "data"]
    qs: str
    data: JSON
    name: str
    args: Any
    ackId: int
    reason: str
    advice: str


# More digits than any client can count to, few enough that int() costs nothing.
_MAX_ID_DIGITS = 32

_TYPE_BY_TEXT = {str(number): name for number, name in MSG_VALUES.items()}
_ID = re.compile(rf"([0-9]{{1,{_MAX_ID_DIGITS}}})?(\+)?\Z", re.ASCII)
_ACK = re.compile(rf"([0-9]{{1,{_MAX_ID_DIGITS}}})(?![0-9])\+?(.*)", re.ASCII)


# -- encode ------------------------------------------------------------------------------------


def encode(data: Mapping[str, Any], json_dumps: JsonDumps = default_json_dumps) -> str:
    """Return the wire text of the packet ``data``.

    May be called from any greenlet, never blocks, does not change ``data``. A missing
    ``endpoint`` means the global namespace; ``args`` may be a list or a tuple, any other value
    is passed on as it is.

    Args:
        data: The packet, see :class:`Packet`.
        json_dumps: Turns a value into JSON text. What it raises is passed on.

    Raises:
        EncodeError: Unknown type, a required key is missing, or an error packet whose reason or
            advice is not in the protocol's tables.
    """
    kind = data.get("type")
    number = MSG_TYPES.get(kind) if isinstance(kind, str) else None
    if number is None:
        raise EncodeError(f"packet has no valid type: {kind!r:.50}")
    endpoint = data.get("endpoint") or ""
    if kind == "error":
        return _encode_error(data, endpoint)
    body = _ENCODE_BODY[kind](data, json_dumps) if kind in _ENCODE_BODY else ""
    head = f"{number}:{_encode_id(data)}:{endpoint}"
    return f"{head}:{body}" if body else head


def _encode_id(data: Mapping[str, Any]) -> str:
    if data.get("type") not in ("message", "json", "event") or data.get("id") is None:
        return ""
    return f"{data['id']}+" if data.get("ack") == "data" else str(data["id"])


def _required(data: Mapping[str, Any], key: str) -> Any:
    # Not one "except KeyError" round it all: what json_dumps raises is the application's.
    if key not in data:
        raise EncodeError(f"packet of type {data['type']} without {key!r}")
    return data[key]


def _encode_message(data: Mapping[str, Any], _dumps: JsonDumps) -> str:
    text = _required(data, "data")
    if not isinstance(text, str):
        raise EncodeError(f"the data of a message is text, not {type(text).__name__}")
    return text


def _encode_json(data: Mapping[str, Any], dumps: JsonDumps) -> str:
    return dumps(_required(data, "data"))


def _encode_event(data: Mapping[str, Any], dumps: JsonDumps) -> str:
    event = {"name": _required(data, "name")}
    args = data.get("args")
    # An empty tuple counts as empty too: the original compared with [] and sent "args":[] for it.
    if args is not None and args != [] and args != ():
        event["args"] = args
    return dumps(event)


def _encode_ack(data: Mapping[str, Any], dumps: JsonDumps) -> str:
    msgid, args = _required(data, "ackId"), data.get("args")
    if args is None or args == [] or args == ():
        return str(msgid)
    return f"{msgid}+{dumps(args)}"


def _encode_connect(data: Mapping[str, Any], _dumps: JsonDumps) -> str:
    return data.get("qs") or ""


_ENCODE_BODY: dict[str, Callable[[Mapping[str, Any], JsonDumps], str]] = {
    "connect": _encode_connect,
    "message": _encode_message,
    "json": _encode_json,
    "event": _encode_event,
    "ack": _encode_ack,
}


def _encode_error(data: Mapping[str, Any], endpoint: str) -> str:
    reason, advice = data.get("reason") or "", data.get("advice") or ""
    if reason and reason not in ERROR_REASONS:
        raise EncodeError(f"unknown error reason: {reason!r:.50}")
    if advice and advice not in ERROR_ADVICES:
        raise EncodeError(f"unknown error advice: {advice!r:.50}")
    if not reason and not advice:
        # The original's form, which its tests fix; no JavaScript client can route it.
        return f"7:::{endpoint}"
    number = ERROR_REASONS[reason] if reason else ""
    return f"7::{endpoint}:{number}" + (f"+{ERROR_ADVICES[advice]}" if advice else "")


# -- decode ------------------------------------------------------------------------------------


def decode(rawstr: str, json_loads: JsonLoads = default_json_loads) -> Packet:
    """Return the packet that the wire text ``rawstr`` stands for.

    May be called from any greenlet, never blocks; linear in the length of the text. The data of
    an event that is no JSON object gives a packet without ``name``, which the dispatcher refuses;
    ``args`` of an event that is no list is handed over as it came, for the same reason.

    Args:
        rawstr: One packet.
        json_loads: Parses JSON text; whatever it raises counts as "no JSON".

    Raises:
        DecodeError: Not a packet. A ``ValueError``; nothing else is ever raised.
    """
    if not isinstance(rawstr, str):
        raise DecodeError(f"A packet is text, not {type(rawstr).__name__}")
    fields = rawstr.split(":", 3)
    if len(fields) < 3:
        raise DecodeError(f"Not a packet, less than two colons: {rawstr!r:.50}")
    kind = _TYPE_BY_TEXT.get(fields[0])
    if kind is None:
        # Escaped, for this ends in a log; without quotes, as the original's tests want it.
        raise DecodeError(f"Unknown message type: {ascii(fields[0][:20])[1:-1]}")
    packet: Packet = {"type": kind, "endpoint": fields[2]}
    if fields[1]:
        _decode_id(fields[1], packet)
    read_body = _DECODE_BODY.get(kind)
    if read_body is not None:
        read_body(packet, fields[3] if len(fields) == 4 else "", json_loads)
    return packet


def _decode_id(text: str, packet: Packet) -> None:
    match = _ID.match(text)
    if match is None:
        raise DecodeError(f"Invalid packet id: {text!r:.50}")
    if match[1] is not None:  # "+" without an id means nothing
        packet["id"] = int(match[1])
        packet["ack"] = "data" if match[2] else True


def _loads(text: str, json_loads: JsonLoads) -> JSON:
    try:
        return json_loads(text)
    except Exception as exc:  # foreign code on foreign data, RecursionError included
        raise DecodeError(f"Invalid JSON: {text!r:.50}") from exc


def _decode_connect(packet: Packet, text: str, _json_loads: JsonLoads) -> None:
    packet["qs"] = text


def _decode_message(packet: Packet, text: str, _json_loads: JsonLoads) -> None:
    packet["data"] = text


def _decode_json(packet: Packet, text: str, json_loads: JsonLoads) -> None:
    packet["data"] = _loads(text, json_loads)


def _decode_event(packet: Packet, text: str, json_loads: JsonLoads) -> None:
    packet["args"] = []
    try:
        event = _loads(text, json_loads)
    except DecodeError:
        return
    if not isinstance(event, dict):
        return
    if "name" in event:
        packet["name"] = event["name"]
    args = event.get("args")
    packet["args"] = [] if _is_false(args) else args


def _decode_ack(packet: Packet, text: str, json_loads: JsonLoads) -> None:
    match = _ACK.match(text)
    if match is None:
        raise DecodeError(f"Invalid ack: {text!r:.50}")
    packet["ackId"] = int(match[1])
    packet["args"] = []
    if match[2]:
        try:
            args = _loads(match[2], json_loads)
        except DecodeError:
            return
        if not _is_false(args):
            packet["args"] = args if isinstance(args, list) else [args]


def _is_false(value: JSON) -> bool:
    # As JavaScript sees it: unlike in Python, {} is true. False and 0.0 are equal to 0.
    return value is None or value == 0 or value == ""


def _decode_error(packet: Packet, text: str, _json_loads: JsonLoads) -> None:
    reason, _, advice = text.partition("+")
    packet["reason"] = _lookup(REASONS_VALUES, reason)
    packet["advice"] = _lookup(ADVICES_VALUES, advice.partition("+")[0])


def _lookup(table: dict[int, str], number: str) -> str:
    # Both tables have one-digit numbers only; anything else is unknown, and unknown reads as ''.
    return table.get(ord(number) - ord("0"), "") if len(number) == 1 else ""


_DECODE_BODY: dict[str, Callable[[Packet, str, JsonLoads], None]] = {
    "connect": _decode_connect,
    "message": _decode_message,
    "json": _decode_json,
    "event": _decode_event,
    "ack": _decode_ack,
    "error": _decode_error,
}
