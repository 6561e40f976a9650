"""What one process says is said by all: events go through Redis."""

import json
import logging
import os

import gevent
import redis

CHANNEL = "socketio"
URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")
REDIS = redis.Redis.from_url(URL, socket_timeout=5, health_check_interval=20)

log = logging.getLogger(__name__)


def tell_all(event, *args, namespace="", room=None):
    """Have every server emit an event; to be called in any process that reaches Redis."""
    REDIS.publish(CHANNEL, json.dumps([event, args, namespace, room]))


def listen(server):
    """Emit what is published; for a greenlet of each server. Never returns."""
    while True:
        try:
            with REDIS.pubsub(ignore_subscribe_messages=True) as pubsub:
                pubsub.subscribe(CHANNEL)
                while True:
                    message = pubsub.get_message(timeout=10)
                    if message is not None:
                        deliver(server, message["data"])
        except redis.RedisError:
            log.exception("Redis does not answer: what is published meanwhile is lost")
            gevent.sleep(1)


def deliver(server, data):
    """Emit one event, if it is one."""
    try:
        event, args, namespace, room = json.loads(data)
        server.emit(event, *args, namespace=namespace, room=room)
    except (ValueError, TypeError):
        log.exception("what was published is no event of ours")
