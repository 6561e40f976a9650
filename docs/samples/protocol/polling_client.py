"""A client of Socket.IO 0.9 over xhr-polling: the standard library, nothing else."""

import json
import sys
from urllib.request import urlopen


class Client:
    """One session."""

    def __init__(self, server):
        with urlopen(f"{server}/socket.io/1/") as answer:
            sessid, _heartbeat, close_timeout, _ = answer.read().decode().split(":")
        self.url = f"{server}/socket.io/1/xhr-polling/{sessid}"
        self.patience = float(close_timeout)
        self.received = []

    def send(self, packet):
        """Post a packet; the answer is "1" when the server has it."""
        with urlopen(self.url, data=packet.encode(), timeout=self.patience) as answer:
            answer.read()

    def receive(self):
        """Return the next packet, polling as long as it takes."""
        while not self.received:
            with urlopen(self.url, timeout=self.patience) as answer:
                self.received = split_payload(answer.read().decode())
        return self.received.pop(0)


def split_payload(text):
    """Return the packets in the answer to a poll."""
    if not text.startswith("\ufffd"):
        return [text]  # one packet travels bare
    packets = []
    while text:
        _, length, text = text.split("\ufffd", 2)
        units = text.encode("utf-16-le")  # lengths count UTF-16 units, of two bytes each
        cut = 2 * int(length)
        packets.append(units[:cut].decode("utf-16-le"))
        text = units[cut:].decode("utf-16-le")
    return packets


if __name__ == "__main__":
    client = Client(sys.argv[1])
    while (packet := client.receive()) != "0::":
        kind, msgid, endpoint, data = [*packet.split(":", 3), ""][:4]
        if kind == "1" and not endpoint:  # the session is open
            client.send("1::/chat")
        elif kind == "1":  # we are in /chat; 1+ asks for an answer
            event = {"name": "sum", "args": [2, 3]}
            client.send("5:1+:/chat:" + json.dumps(event))
        elif kind == "2":  # a heartbeat is sent back
            client.send("2::")
        elif kind == "6":  # the answer
            print("2 + 3 =", json.loads(data.partition("+")[2])[0])
            client.send("0::")
            break
