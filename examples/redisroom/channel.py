"""A channel of Redis: what one process publishes, every process tells its own clients."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import gevent
from redis import RedisError
from redis.client import PubSub

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["Channel", "Listener"]

log = logging.getLogger(__name__)

BEAT = 10.0
"""Seconds between two signs of life to Redis."""
FIRST_WAIT, LONGEST_WAIT = 0.25, 4.0
"""Seconds until the next attempt to reach Redis: doubled after each, up to the longest."""


class Listener(Protocol):
    """Who is told, in the greenlet of the channel.

    A ``RedisError`` that it raises means that Redis is away; what else it raises is logged.
    """

    def on_up(self) -> None:
        """What is published from now on arrives."""

    def on_down(self) -> None:
        """What is published from now on is lost."""

    def on_published(self, event: str, args: list[Any]) -> None:
        """Some process, perhaps this one, has published something."""

    def on_beat(self) -> None:
        """``BEAT`` seconds have passed."""


class Channel:
    """One subscription for the whole process, in one greenlet, however many clients there are.

    Whoever starts it closes it. When Redis goes away, it is back as soon as Redis is.
    """

    def __init__(self, redis: Redis, name: str, listener: Listener) -> None:
        self.up: bool | None = None
        """Whether the subscription stands; None before the first attempt."""
        self._redis = redis
        self._name = name
        self._listener = listener
        self._job: gevent.Greenlet[[], None] | None = None

    def start(self) -> None:
        """Begin to listen. Does not wait for Redis."""
        self._job = gevent.spawn(self._run)

    def close(self) -> None:
        """Stop listening; waits until the connection is given back."""
        if self._job is not None:
            self._job.kill()

    def publish(self, event: str, *args: object) -> None:
        """Tell every process. Raises ``RedisError`` when Redis is away."""
        self._redis.publish(self._name, json.dumps([event, args]))

    def _run(self) -> None:
        wait = FIRST_WAIT
        while True:
            try:
                with PubSub(self._redis.connection_pool) as subscription:
                    subscription.subscribe(self._name)
                    self._listen(subscription)
            except RedisError as error:
                if self.up:
                    wait = FIRST_WAIT
                self._be_down(error)
            gevent.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def _listen(self, subscription: PubSub) -> None:
        """Pass on what comes, until Redis goes away."""
        due = time.monotonic() + BEAT
        while True:
            message = subscription.get_message(timeout=max(0.0, due - time.monotonic()))
            if message is not None and message["type"] == "subscribe":
                self._be_up()
            elif message is not None and message["type"] == "message":
                self._pass_on(message["data"])
            if time.monotonic() >= due:
                # By another connection than ours: where Redis, or the way to it, has died without
                # a word, this one fails within the timeout, while ours would wait for ever.
                self._call(self._listener.on_beat)
                due = time.monotonic() + BEAT

    def _pass_on(self, data: str) -> None:
        try:
            event, args = json.loads(data)
        except (ValueError, TypeError, RecursionError):
            event = args = None
        if isinstance(event, str) and isinstance(args, list):
            self._call(self._listener.on_published, event, args)
        else:
            log.warning("on %s came what is not of this application: %.100r", self._name, data)

    def _call(self, hear: Callable[..., None], *args: object) -> None:
        """Call the listener: nothing that it cannot do may end the subscription of everybody."""
        try:
            hear(*args)
        except Exception as error:
            if self.up and isinstance(error, RedisError):
                raise  # Redis has gone away: it is for _run to try again
            log.exception("the listener of %s failed", self._name)

    def _be_up(self) -> None:
        log.info("subscribed to %s in Redis", self._name)
        self.up = True
        self._call(self._listener.on_up)

    def _be_down(self, error: RedisError) -> None:
        if self.up is False:
            return
        log.warning("Redis is away, trying until it is back: %s", error)
        self.up = False
        self._call(self._listener.on_down)
