"""Every setting of the server in one frozen object that still reads like the original's mapping."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

from socketio.errors import ConfigError

__all__ = ["SLOW_PEER_POLICIES", "Settings", "parse_setting"]

SLOW_PEER_POLICIES = ("disconnect", "drop_oldest")
"""The words that the setting ``slow_peer`` may have."""

# Settings that are no numbers.
_TEXTS = ("slow_peer",)


def _seconds(default: float, effect: str) -> Any:
    return field(default=default, metadata={"kind": "seconds", "effect": effect})


def _count(default: int | None, effect: str) -> Any:
    return field(default=default, metadata={"kind": "count", "effect": effect})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Mapping[str, Any]):
    """The timings and limits of a server.

    Each is a keyword of :class:`~socketio.server.SocketIOServer`.
    Seconds may be fractions and must be positive; counts are positive whole numbers, and None
    where it is allowed means "no limit". Reads like a mapping too: ``config["close_timeout"]``.

    .. versionadded:: 1.0
    """

    heartbeat_interval: float = _seconds(
        25, "seconds between two heartbeats sent over a streaming transport"
    )
    heartbeat_timeout: float = _seconds(
        60, "seconds without any sign of life after which a streaming session ends"
    )
    close_timeout: float = _seconds(
        60, "seconds a polling session outlives its last poll, and the grace of a busy handler"
    )
    polling_duration: float | None = field(
        default=None,
        metadata={
            "kind": "seconds",
            "effect": "seconds until an idle poll ends with a noop; None: the heartbeat interval",
        },
    )
    handshake_timeout: float = _seconds(30, "seconds a handshake waits for its client to come")
    linger_timeout: float = _seconds(
        10, "seconds the last packets of an ended session wait to be taken"
    )
    keepalive_timeout: float = _seconds(75, "seconds a connection may wait for its next request")
    header_timeout: float = _seconds(10, "seconds a request may take to send its header")
    body_timeout: float = _seconds(
        30,
        "seconds a POST of ours may take to send its body, and one of the application's may pause",
    )
    tls_handshake_timeout: float = _seconds(10, "seconds a TLS handshake may take")
    write_timeout: float = _seconds(30, "seconds a client may take to accept a write")
    block_warning: float | None = field(
        default=None,
        metadata={
            "kind": "seconds",
            "effect": "seconds that code may keep the whole process busy before a log line says "
            "what does; None: nobody looks. It needs a thread",
        },
    )
    max_body_size: int = _count(1_000_000, "bytes in the body of a POST")
    max_message_size: int = _count(1_000_000, "bytes in a WebSocket message")
    max_payload_packets: int = _count(1_000, "packets in the body of a POST")
    max_inbound_packets: int = _count(1_000, "received packets that wait; then reading stops")
    max_inbound_size: int = _count(2_000_000, "bytes of memory that wait likewise")
    max_outbound_packets: int = _count(10_000, "packets that wait for a client; then it is dropped")
    max_outbound_size: int = _count(
        4_000_000, "bytes of memory that wait likewise, if more than one does"
    )
    max_pending_acks: int = _count(1_000, "acks a session waits for; the oldest goes first")
    max_handshakes: int = _count(10_000, "sessions nobody came for yet; then 503")
    max_sessions: int | None = _count(None, "sessions in all; then 503. None: no limit")
    slow_peer: str | Callable[[Any], object] = field(
        default="disconnect",
        metadata={
            "kind": "policy",
            "effect": "what becomes of a client whose outbound queue is over its limit: "
            "'disconnect', 'drop_oldest', or a callable that is given the session and returns one "
            "of the two; it must not block",
        },
    )

    def __post_init__(self) -> None:
        for entry in fields(self):
            _validate(entry, getattr(self, entry.name))

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return (entry.name for entry in fields(self))

    def __len__(self) -> int:
        return len(fields(self))

    def __contains__(self, name: object) -> bool:
        return name in self.__dataclass_fields__

    @property
    def poll_seconds(self) -> float:
        """How long an idle poll is held."""
        return self.heartbeat_interval if self.polling_duration is None else self.polling_duration

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Settings:
        """Return ``config`` as settings.

        What it lacks has its default, what we do not know is left.

        Raises:
            ConfigError: A value is out of range.
        """
        if isinstance(config, cls):
            return config
        known = {name: config[name] for name in cls.__dataclass_fields__ if name in config}
        return cls(**{name: parse_setting(name, value) for name, value in known.items()})


def parse_setting(name: str, value: object) -> Any:
    """Return the text of an .ini file as the number it stands for; other values pass unchanged.

    Raises:
        ConfigError: The text is no number.
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if name in _TEXTS:
        return text
    if text.lower() == "none":
        return None
    try:
        number = float(text)
    except ValueError:
        raise ConfigError(f"{name}: {value!r} is no number") from None
    return int(number) if number.is_integer() else number


def _validate(entry: Field[Any], value: object) -> None:
    if value is None and entry.default in (None, MISSING):
        return
    if entry.metadata["kind"] == "policy":
        if value not in SLOW_PEER_POLICIES and not callable(value):
            known = " or ".join(map(repr, SLOW_PEER_POLICIES))
            raise ConfigError(f"{entry.name}: {value!r:.50} is neither {known} nor callable")
        return
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else 0
    if entry.metadata["kind"] == "count":
        if not (isinstance(number, int) and number > 0):
            raise ConfigError(f"{entry.name}: {value!r:.50} is no positive whole number")
    # No NaN, no infinity, and no whole number too large for a float: timers could not add it.
    elif not 0 < number <= sys.float_info.max:
        raise ConfigError(f"{entry.name}: {value!r:.50} is no positive number of seconds")
