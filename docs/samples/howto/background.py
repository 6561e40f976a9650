"""Work that goes on beside the handlers."""

import hashlib
import json
import sys

import gevent
from gevent import subprocess

from socketio.namespace import BaseNamespace


class Stopwatch(BaseNamespace):
    """Counts for one client, until it stops it or leaves."""

    pause = 1
    job = None

    def on_start(self):
        if self.job is None:
            self.job = self.spawn(self.run)

    def run(self):
        seconds = 0
        while True:
            gevent.sleep(self.pause)
            seconds += self.pause
            self.emit("tick", seconds)

    def on_stop(self):
        if self.job is not None:
            self.job.kill()
            self.job = None


class Export(BaseNamespace):
    """Has something to give back, whatever ends it."""

    open_files = 0

    def on_export(self):
        self.spawn(self.export)

    def export(self):
        Export.open_files += 1
        try:
            for part in range(1000):
                self.emit("part", part)
                gevent.sleep(0.01)
        finally:  # also when the client has left
            Export.open_files -= 1


class Passwords(BaseNamespace):
    """A computation that leaves Python runs in a thread of its own."""

    def on_hash(self, password, salt):
        return gevent.get_hub().threadpool.apply(slow_hash, (password, salt))


def slow_hash(password, salt):
    return hashlib.scrypt(password.encode(), salt=salt.encode(), n=2**14, r=8, p=1).hex()


class Primes(BaseNamespace):
    """A computation in Python runs in another process."""

    def on_primes(self, limit):
        command = [sys.executable, "-c", COMPUTE, str(min(int(limit), 10_000))]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60)
        return json.loads(done.stdout)


COMPUTE = """
import json, sys
numbers = range(2, int(sys.argv[1]))
print(json.dumps([n for n in numbers if all(n % d for d in range(2, n))]))
"""
