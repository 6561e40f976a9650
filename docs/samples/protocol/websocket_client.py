"""The same client over websocket, with the package websockets."""

import json
import sys
from urllib.request import urlopen

from websockets.sync.client import connect

server = sys.argv[1]
with urlopen(f"{server}/socket.io/1/") as answer:
    sessid, heartbeat_timeout, _close_timeout, _transports = answer.read().decode().split(":")

url = f"{server.replace('http', 'ws', 1)}/socket.io/1/websocket/{sessid}"
with connect(url) as websocket:
    # Silence for longer than the heartbeat timeout raises TimeoutError: the server is gone.
    while (packet := websocket.recv(timeout=float(heartbeat_timeout))) != "0::":
        kind, msgid, endpoint, data = [*packet.split(":", 3), ""][:4]
        if kind == "1" and not endpoint:
            websocket.send("1::/chat")
        elif kind == "1":
            event = {"name": "sum", "args": [2, 3]}
            websocket.send("5:1+:/chat:" + json.dumps(event))
        elif kind == "2":
            websocket.send("2::")
        elif kind == "6":
            print("2 + 3 =", json.loads(data.partition("+")[2])[0])
            websocket.send("0::")
