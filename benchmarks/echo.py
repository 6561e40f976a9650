"""What one idle WebSocket costs, and how much echo one second of server CPU time buys.

The server runs in a process of its own; its CPU time and memory are read from the operating
system. Prints one line per figure. Figures of one run on one machine: compare ratios, not runs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from typing import Any

import gevent
import psutil
from gevent import socket as gsocket
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer


class Echo(BaseNamespace):
    """Answers an event with its argument."""

    def on_echo(self, value: Any) -> Any:
        """Return the argument, which becomes the ack."""
        return value


def app(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
    """Serve the echo."""
    socketio_manage(environ, {"": Echo})
    return []


def run_server(pipe: Any) -> None:
    """Serve until killed; answers each request on ``pipe`` with the number of greenlets."""
    import gc

    server = SocketIOServer(("127.0.0.1", 0), app, log=None)
    server.start()
    pipe.send(server.server_port)
    while True:
        gevent.sleep(0.05)
        if pipe.poll():
            pipe.recv()
            gc.collect()
            things = gc.get_objects()
            pipe.send(sum(1 for g in things if isinstance(g, gevent.Greenlet) and not g.dead))


class Client:
    """One WebSocket client that keeps a number of echoes in flight."""

    def __init__(self, port: int) -> None:
        self.sock = gsocket.create_connection(("127.0.0.1", port))
        self.sock.sendall(b"GET /socket.io/1/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        answer = b""
        while answer.count(b":60:60:") == 0:
            answer += self.sock.recv(4096)
        sessid = answer.rpartition(b"\r\n\r\n")[2].partition(b":")[0].decode()
        uri = parse_uri(f"ws://127.0.0.1:{port}/socket.io/1/websocket/{sessid}")
        self.core = ClientProtocol(uri)
        self.core.send_request(self.core.connect())
        self.flush()
        while not self.read(b"1::"):
            pass

    def flush(self) -> None:
        """Send what the core has to send."""
        self.sock.sendall(b"".join(self.core.data_to_send()))

    def read(self, prefix: bytes) -> int:
        """Read once; returns the number of packets that begin with ``prefix``."""
        data = self.sock.recv(65536)
        if not data:
            raise EOFError("the server closed the connection")
        self.core.receive_data(data)
        texts = [
            bytes(e.data)
            for e in self.core.events_received()
            if isinstance(e, Frame) and e.opcode is Opcode.TEXT
        ]
        return sum(1 for text in texts if text.startswith(prefix))

    def echo(self, payload: str, in_flight: int, count: int) -> None:
        """Have ``count`` echoes answered, ``in_flight`` at a time."""
        text = json.dumps({"name": "echo", "args": [payload]})
        message = f"5:1+::{text}".encode()
        waiting = 0
        while count or waiting:
            while count and waiting < in_flight:
                self.core.send_text(message)
                waiting += 1
                count -= 1
            self.flush()
            waiting -= self.read(b"6:::")


def measure_idle(server: psutil.Process, pipe: Any, port: int, number: int) -> list[Client]:
    """Print what ``number`` idle WebSockets add to the server."""

    def look() -> tuple[int, int]:
        pipe.send("count")
        return int(pipe.recv()), int(server.memory_info().rss)

    Client(port).sock.close()
    greenlets, memory = look()
    clients = [Client(port) for _ in range(number)]
    more_greenlets, more_memory = look()
    print(f"greenlets per idle WebSocket    {(more_greenlets - greenlets) / number:.2f}")
    print(f"KiB per idle WebSocket          {(more_memory - memory) / 1024 / number:.1f}")
    return clients


def measure_echo(server: psutil.Process, clients: list[Client], size: int, in_flight: int) -> None:
    """Print the echoes per second of the server's CPU time."""
    each = max(100, (20_000 if size < 1000 else 6_000) // len(clients))
    me = psutil.Process()
    before, mine, start = server.cpu_times(), me.cpu_times(), time.monotonic()
    jobs = [gevent.spawn(client.echo, "x" * size, in_flight, each) for client in clients]
    gevent.joinall(jobs, raise_error=True)
    wall = time.monotonic() - start
    after, mine_after = server.cpu_times(), me.cpu_times()
    used = (after.user + after.system) - (before.user + before.system)
    load = (mine_after.user + mine_after.system) - (mine.user + mine.system)
    rate = each * len(clients) / used
    print(
        f"echo with ack, {size:5d} B, {in_flight} in flight  {rate:8.0f} per CPU second "
        f"(server {used / wall:.0%}, load generator {load / wall:.0%} of a core)"
    )


def main() -> None:
    """Run the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle", type=int, default=1000, help="idle WebSockets (%(default)s)")
    parser.add_argument("--clients", type=int, default=50, help="echoing clients (%(default)s)")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    pipe, far_end = context.Pipe()
    process = context.Process(target=run_server, args=(far_end,), daemon=True)
    process.start()
    port = pipe.recv()
    server = psutil.Process(process.pid)
    clients = measure_idle(server, pipe, port, options.idle)[: options.clients]
    for size, in_flight in ((32, 1), (32, 4), (4096, 4)):
        measure_echo(server, clients, size, in_flight)
    process.terminate()
    process.join()


if __name__ == "__main__":
    main()
