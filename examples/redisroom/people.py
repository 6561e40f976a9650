"""Who is in the room, in whichever process: kept in Redis."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["People"]

KEPT = 30.0
"""Seconds that somebody stays in the room when their process says nothing of them any more: it
was killed, or is cut off. The processes speak up more often than that, see ``channel.BEAT``."""

RELEASE = """
if redis.call("HGET", KEYS[1], ARGV[1]) == ARGV[2] then
    redis.call("HDEL", KEYS[1], ARGV[1])
    redis.call("ZREM", KEYS[2], ARGV[1])
end
"""
"""Redis runs it in one piece: nobody can come back between the look and the removal."""


class People:
    """The nicknames in a room, each held by one client of one process.

    Every method asks Redis, and raises its ``RedisError`` when that is away. The clocks of the
    machines must agree to within some seconds.

    Args:
        redis: A client that decodes what it gets.
        name: Of the room; the keys begin with it.
    """

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self._holders = f"{name}:holders"  # a hash: nickname -> token of who holds it
        self._until = f"{name}:until"  # a sorted set: nickname -> how long it is kept
        self._release = redis.register_script(RELEASE)

    def claim(self, nickname: str, proof: str) -> str | None:
        """Take a nickname; return the token that proves it, or None when it is somebody else's.

        Args:
            nickname: To be unique in the room.
            proof: The token from before a break, or ''. With it somebody has their nickname again
                at once, though another process still believes that it serves them.
        """
        # First of all: were we cut off after the next line, a nickname without a time never went.
        self._redis.zadd(self._until, {nickname: time.time() + KEPT}, nx=True)
        token = secrets.token_urlsafe(16)
        if not self._redis.hsetnx(self._holders, nickname, token):
            held = str(self._redis.hget(self._holders, nickname) or "")
            if not secrets.compare_digest(held.encode(), proof.encode(errors="replace")):
                return None
            self._redis.hset(self._holders, nickname, token)
        self._redis.zadd(self._until, {nickname: time.time() + KEPT})
        return token

    def release(self, nickname: str, token: str) -> None:
        """Give a nickname back, unless its holder has come back elsewhere."""
        self._release(keys=[self._holders, self._until], args=[nickname, token])

    def keep(self, holders: Mapping[str, str]) -> None:
        """Say that these are still there; forget whose time is over.

        Args:
            holders: The token of each nickname. A Redis that has lost everything learns them anew.
        """
        now = time.time()
        with self._redis.pipeline() as pipe:
            for nickname, token in holders.items():
                pipe.hsetnx(self._holders, nickname, token)
                pipe.zadd(self._until, {nickname: now + KEPT})
            pipe.execute()
        over = list(self._redis.zrangebyscore(self._until, "-inf", now))
        if over:
            self._forget(*map(str, over))

    def names(self) -> list[str]:
        """Return everybody's nickname."""
        found = self._redis.zrangebyscore(self._until, time.time(), "+inf")
        return sorted(map(str, found))

    def _forget(self, *nicknames: str) -> None:
        with self._redis.pipeline() as pipe:
            pipe.hdel(self._holders, *nicknames)
            pipe.zrem(self._until, *nicknames)
            pipe.execute()
