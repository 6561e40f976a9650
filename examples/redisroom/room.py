"""The room: its people and its channel in Redis, and those of its clients that this process has."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol

from redis import BlockingConnectionPool, Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from examples.redisroom.channel import Channel
from examples.redisroom.people import People
from examples.redisroom.rules import RefusedError

__all__ = ["Member", "Room", "connect"]

TIMEOUT = 5.0
"""Seconds that Redis has for an answer."""
MOST_CONNECTIONS = 20
LOOK = "look"
"""What is published when the people have changed."""
AWAY = "Redis is away: nobody can be reached right now. Try again in a moment."


def connect(url: str) -> Redis:
    """Return a client; it connects when it is used.

    The standard library has to be patched, or the whole process waits for Redis. Nothing is sent
    twice: the channel has a way of its own to try again, and people press the button again.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MOST_CONNECTIONS,
        timeout=TIMEOUT,
        socket_timeout=TIMEOUT,
        decode_responses=True,
        encoding_errors="replace",  # anybody can publish bytes that are no text
        retry=Retry(NoBackoff(), 0),
    )
    return Redis(connection_pool=pool)


class Member(Protocol):
    """A client: the namespace of the application."""

    nickname: str
    token: str

    def emit(self, event: str, *args: Any) -> None:
        """Send an event to this client."""

    def broadcast_event(self, event: str, *args: Any) -> None:
        """Send an event to all clients of this process."""


class Room:
    """A room in Redis. Each process has one, and enters it (``with``) for as long as it serves.

    The clients of every process get what the application publishes, and two more events:
    ``people``, with all nicknames, and ``redis``, with whether that can be reached. Both come when
    a client does, and whenever they change.

    Args:
        url: Of Redis.
        name: Rooms of the same name in the same Redis are one.
    """

    def __init__(self, url: str, name: str) -> None:
        self._redis = connect(url)
        self._people = People(self._redis, name)
        self._channel = Channel(self._redis, name, self)
        self._members: set[Member] = set()
        self._names: list[str] = []  # as the clients of this process know them

    def __enter__(self) -> Room:
        self._channel.start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._channel.close()
        self._redis.close()

    # -- what the application calls ------------------------------------------------------------

    def add(self, member: Member) -> None:
        """Let a client read; it has no nickname yet."""
        self._members.add(member)
        member.emit("people", self._names)
        member.emit("redis", self._channel.up is True)

    def enter(self, member: Member, nickname: str, proof: str) -> None:
        """Give a client its nickname, and the token with which it gets it back after a break."""
        with self._reaching_redis():
            token = self._people.claim(nickname, proof)
            if token is None:
                raise RefusedError(f"The nickname {nickname} is taken.")
            for other in self._members:
                if other.nickname == nickname:  # its connection is dead, that is not known yet
                    other.nickname = ""
        member.nickname, member.token = nickname, token
        self._tell_all_to_look()

    def publish(self, event: str, *args: object) -> None:
        """Tell everybody, in every process; refused when Redis is away."""
        with self._reaching_redis():
            self._channel.publish(event, *args)

    def require_redis(self) -> None:
        """Refuse what makes no sense while nobody can be reached."""
        if not self._channel.up:
            raise RefusedError(AWAY)

    def remove(self, member: Member) -> None:
        """Let a client go."""
        self._members.discard(member)
        if member.nickname:
            with contextlib.suppress(RedisError):  # it forgets by itself who is not kept
                self._people.release(member.nickname, member.token)
            self._tell_all_to_look()

    @contextlib.contextmanager
    def _reaching_redis(self) -> Iterator[None]:
        self.require_redis()
        try:
            yield
        except RedisError as error:
            raise RefusedError(AWAY) from error

    # -- what the channel calls ----------------------------------------------------------------

    def on_up(self) -> None:
        """Tell Redis who is here, then everybody that it is back."""
        self._keep()
        self._tell("redis", True)
        self._tell_all_to_look()

    def on_down(self) -> None:
        """Tell the clients of this process."""
        self._tell("redis", False)

    def on_published(self, event: str, args: list[Any]) -> None:
        """Tell the clients of this process what some process has published."""
        if event == LOOK:
            self._look()
        else:
            self._tell(event, *args)

    def on_beat(self) -> None:
        """Tell Redis who is still here, and look whether a process has died with its people."""
        self._keep()
        self._look()

    # ------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        named = {member.nickname: member.token for member in self._members if member.nickname}
        self._people.keep(named)

    def _tell_all_to_look(self) -> None:
        # No list is published, each process looks it up: of two lists the older could come last.
        with contextlib.suppress(RedisError):  # each looks at its next beat too
            self._channel.publish(LOOK)

    def _look(self) -> None:
        names = self._people.names()
        if names != self._names:
            self._names = names
            self._tell("people", names)

    def _tell(self, event: str, *args: object) -> None:
        # A broadcast reaches all clients that this process has; whose it is does not matter.
        for member in self._members:
            member.broadcast_event(event, *args)
            return
