"""The room in Redis that the chats share: what comes over its channel, and who has a nickname."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import ConnectionError as RedisConnectionError
from redis import Redis

from examples.redisroom import people as people_module
from examples.redisroom.channel import Channel
from examples.redisroom.people import People
from examples.redisroom.room import connect
from tests.examples.redisplace import redis_url


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with redis_url() as url:
        yield url


@pytest.fixture
def redis(url: str) -> Iterator[Redis]:
    redis = connect(url)
    yield redis
    redis.close()


# -- the channel ---------------------------------------------------------------------------------


class OverError(BaseException):
    """Ends the channel, which nothing of its own accord does."""


class Ear:
    """A listener that begins with publishing, takes one argument, and fails at much."""

    def __init__(self, redis: Redis, name: str, publications: list[str | bytes]) -> None:
        self.heard: list[object] = []
        self._redis = redis
        self._name = name
        self._publications = publications

    def on_up(self) -> None:
        for publication in self._publications:
            self._redis.publish(self._name, publication)
        raise ValueError("on_up cannot do that")

    def on_down(self) -> None:
        raise OverError

    def on_published(self, event: str, args: list[Any]) -> None:
        if event == "over":
            raise OverError
        (text,) = args
        self.heard.append((event, text))

    def on_beat(self) -> None:
        raise OverError


def listen(redis: Redis, *publications: str | bytes) -> list[object]:
    """Return what a listener hears of these."""
    name = uuid.uuid4().hex
    ear = Ear(redis, name, [*publications, '["over", []]'])
    with pytest.raises(OverError):
        Channel(redis, name, ear)._run()
    return ear.heard


def test_what_is_no_event_is_passed_over(redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    strange = [
        *[b"\xff", "no json", "[]", "7", "null", '"ab"', '["said"]', '["said", 5]'],
        *['{"a":1,"b":2}', '[5, ["x"]]', '["said", {"x": 1}]', '["said", "x"]', "[" * 100_000],
    ]
    assert listen(redis, *strange, '["said", ["Hello"]]') == [("said", "Hello")]
    assert caplog.text.count("what is not of this application") == len(strange)


def test_what_a_listener_cannot_do_is_logged_and_the_next_event_comes(
    redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    assert listen(redis, '["said", [1, 2]]', '["said", ["Hello"]]') == [("said", "Hello")]
    assert "on_up cannot do that" in caplog.text
    assert "too many values to unpack" in caplog.text


# -- the people ----------------------------------------------------------------------------------


def test_people_of_a_process_that_died_are_forgotten_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with redis_url() as url:
        redis = connect(url)
        people = People(redis, uuid.uuid4().hex)
        monkeypatch.setattr(people_module, "KEPT", -1.0)
        token = people.claim("Ada", "")
        assert token is not None
        assert people.claim("Ada", "") is None
        monkeypatch.undo()
        other = people.claim("Bob", "")
        assert other is not None
        assert people.names() == ["Bob"]
        assert people.claim("Ada", "") is None
        people.keep({"Bob": other})
        assert people.names() == ["Bob"]
        assert people.claim("Ada", "") is not None
        people.release("Ada", "not the token")
        assert people.names() == ["Ada", "Bob"]
        redis.close()


class Interrupted(Redis):
    """A client that calls a function after each of its commands, with the name of the command."""

    afterwards: Callable[[str], None] = staticmethod(lambda _command: None)

    def execute_command(self, *args: Any, **options: Any) -> Any:
        answer = super().execute_command(*args, **options)
        self.afterwards(str(args[0]))
        return answer


@pytest.fixture
def interrupted(redis: Redis) -> Interrupted:
    return Interrupted(connection_pool=redis.connection_pool)


def test_a_nickname_whose_claim_was_cut_off_is_free_again_in_time(
    redis: Redis, interrupted: Interrupted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(command: str) -> None:
        if command == "HSETNX":
            raise RedisConnectionError

    name = uuid.uuid4().hex
    interrupted.afterwards = cut_off
    with monkeypatch.context() as time_flies, pytest.raises(RedisConnectionError):
        time_flies.setattr(people_module, "KEPT", -1.0)
        People(interrupted, name).claim("Ada", "")
    people = People(redis, name)
    assert people.claim("Ada", "") is None
    people.keep({})
    assert people.claim("Ada", "") is not None


def test_who_comes_back_while_their_nickname_is_given_back_keeps_it(
    redis: Redis, interrupted: Interrupted
) -> None:
    name = uuid.uuid4().hex
    people = People(redis, name)
    before = people.claim("Ada", "")
    assert before is not None
    after: list[str | None] = []

    def come_back(_command: str) -> None:
        if not after:
            after.append(people.claim("Ada", before))

    interrupted.afterwards = come_back
    People(interrupted, name).release("Ada", before)
    assert after[0] is not None
    assert people.names() == ["Ada"]
    assert people.claim("Ada", before) is None
    people.release("Ada", after[0])
    assert people.names() == []
