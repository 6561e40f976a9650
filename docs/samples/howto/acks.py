"""Answers, in both directions, and what becomes of errors."""

import functools

import gevent
from gevent.event import AsyncResult

from socketio.namespace import BaseNamespace
from socketio.virtsocket import default_error_handler


class Shop(BaseNamespace):
    stock = {"hat": 3}

    def on_price(self, article):
        return 12.5 if article in self.stock else None

    def on_stock(self, article):
        return article, self.stock.get(article, 0)  # two arguments for the client's function


class Library(BaseNamespace):
    """Answers when it is done; other events of the client are handled meanwhile."""

    def on_search(self, packet):
        self.spawn(self.search, packet, *packet["args"])
        return self.ACK_LATER

    def search(self, packet, word):
        gevent.sleep(0.1)  # stands for a database
        if "id" in packet:
            self.ack(packet, [f"all about {word}"])

    def on_ping(self):
        return "pong"


class Quiz(BaseNamespace):
    """Asks its client."""

    def on_play(self):
        self.emit("question", "six by seven?", callback=self.answered)

    def answered(self, answer=None):
        self.emit("verdict", answer == 42)


class Confirmation(BaseNamespace):
    """Asks its client, and does not wait for ever."""

    def on_pay(self, amount):
        self.spawn(self.pay, amount)

    def pay(self, amount):
        try:
            sure = self.ask("sure", amount)
        except gevent.Timeout:
            self.emit("cancelled", "you did not answer")
        else:
            self.emit("paid" if sure else "cancelled", amount)

    def ask(self, event, *args, seconds=30):
        """Return what the client answers; never call it in a handler."""
        answer = AsyncResult()
        self.emit(event, *args, callback=lambda *values: answer.set(values[0] if values else None))
        return answer.get(timeout=seconds)


class Refused(Exception):  # noqa: N818 - what the client is told
    """The client cannot have what it wants; the text says why."""


class Bank(BaseNamespace):
    """Answers ``(true, result)``, or ``(false, why)``."""

    def exception_handler_decorator(self, handler):
        @functools.wraps(handler)
        def answering(*args, **kwargs):
            try:
                value = handler(*args, **kwargs)
            except Refused as refusal:
                return False, str(refusal)
            return value if value is self.ACK_LATER else (True, value)

        return answering

    def on_withdraw(self, amount):
        if not isinstance(amount, int) or amount <= 0:
            raise Refused("an amount is a number above zero")
        return 100 - amount


TEXTS = {"internal_error": "Das ging schief, bitte noch einmal."}


def errors_in_german(socket, name, message, endpoint, msg_id, quiet):
    """For ``socketio_manage(environ, namespaces, error_handler=errors_in_german)``."""
    default_error_handler(socket, name, TEXTS.get(name, message), endpoint, msg_id, quiet)
