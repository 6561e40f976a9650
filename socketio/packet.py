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
_ACK = re.compile(rf"([0-9]{{1,{_MAX_ID_DIGITS}}})(?![0-9])\+?(.*)", re.ASCII)


# -- encode ------------------------------------------------------------------------------------


def encode(data: Mapping[str, Any], json_dumps: JsonDumps = default_json_dumps) -> str:
    """Return the wire text of the packet ``data``.

    May be called from any greenlet, never blocks, does not change ``data``. A missing
    ``endpoint`` means the global namespace; ``args`` may be a list or a tuple, any other value
    is passed on as it is.

    Args:
        data: The packet, see :class:`Packet`.
        json_dumps: Turns a value into JSON text. What it raises is passed on; one that returns
            bytes, as that of orjson, raises TypeError here.

    Raises:
        EncodeError: Unknown type, a required key is missing, or an error packet whose reason or
            advice is not in the protocol's tables.
    """
    kind = data.get("type")
    write = _ENCODERS.get(kind) if isinstance(kind, str) else None
    if write is None:
        raise EncodeError(f"packet has no valid type: {kind!r:.50}")
    return write(data, data.get("endpoint") or "", json_dumps)


def _encode_id(data: Mapping[str, Any]) -> str:
    msgid = data.get("id")
    if msgid is None:
        return ""
    return f"{msgid}+" if data.get("ack") == "data" else str(msgid)


def _required(data: Mapping[str, Any], key: str) -> Any:
    # Not one "except KeyError" round it all: what json_dumps raises is the application's.
    if key not in data:
        raise EncodeError(f"packet of type {data['type']} without {key!r}")
    return data[key]


def _encode_bare(data: Mapping[str, Any], endpoint: str, _dumps: JsonDumps) -> str:
    return f"{MSG_TYPES[data['type']]}::{endpoint}"


def _encode_connect(data: Mapping[str, Any], endpoint: str, _dumps: JsonDumps) -> str:
    query = data.get("qs")
    return f"1::{endpoint}:{query}" if query else f"1::{endpoint}"


def _encode_message(data: Mapping[str, Any], endpoint: str, _dumps: JsonDumps) -> str:
    text = _required(data, "data")
    if not isinstance(text, str):
        raise EncodeError(f"the data of a message is text, not {type(text).__name__}")
    head = f"3:{_encode_id(data)}:{endpoint}"
    return f"{head}:{text}" if text else head


def _encode_json(data: Mapping[str, Any], endpoint: str, dumps: JsonDumps) -> str:
    return f"4:{_encode_id(data)}:{endpoint}:" + dumps(_required(data, "data"))


def _encode_event(data: Mapping[str, Any], endpoint: str, dumps: JsonDumps) -> str:
    event = {"name": _required(data, "name")}
    args = data.get("args")
    if args or not _is_empty(args):
        event["args"] = args
    return f"5:{_encode_id(data)}:{endpoint}:" + dumps(event)


def _encode_ack(data: Mapping[str, Any], endpoint: str, dumps: JsonDumps) -> str:
    msgid = data["ackId"] if "ackId" in data else _required(data, "ackId")
    args = data.get("args")
    if not args and _is_empty(args):
        return f"6::{endpoint}:{msgid}"
    return f"6::{endpoint}:{msgid}+" + dumps(args)


def _is_empty(args: Any) -> bool:
    # An empty tuple counts as empty too: the original compared with [] and sent "args":[] for it.
    return args is None or args == [] or args == ()


def _encode_error(data: Mapping[str, Any], endpoint: str, _dumps: JsonDumps) -> str:
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


_ENCODERS: dict[str, Callable[[Mapping[str, Any], str, JsonDumps], str]] = {
    "disconnect": _encode_bare,
    "connect": _encode_connect,
    "heartbeat": _encode_bare,
    "message": _encode_message,
    "json": _encode_json,
    "event": _encode_event,
    "ack": _encode_ack,
    "error": _encode_error,
    "noop": _encode_bare,
}


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
    with_data = text[-1] == "+"
    digits = text[:-1] if with_data else text
    if not digits:  # "+" without an id means nothing
        return
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MAX_ID_DIGITS):
        raise DecodeError(f"Invalid packet id: {text!r:.50}")
    packet["id"] = int(digits)
    packet["ack"] = "data" if with_data else True


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
        event = json_loads(text)
    except Exception:  # noqa: BLE001 - as in _loads(); without a name it is refused further on
        return
    if not isinstance(event, dict):
        return
    if "name" in event:
        packet["name"] = event["name"]
    args = event.get("args")
    if args or not _is_false(args):
        packet["args"] = args


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
