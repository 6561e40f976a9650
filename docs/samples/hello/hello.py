from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import serve

PAGE = b"""<!doctype html><title>Hello</title><p id="said">
<script src="/socket.io/socket.io.js"></script>
<script>
  const socket = io.connect();
  socket.on('greeting', (text) => document.getElementById('said').append(text));
  socket.emit('hello', 'world', (answer) => document.getElementById('said').append(answer));
</script>"""


class Greetings(BaseNamespace):
    def on_hello(self, name):
        self.emit("greeting", f"Hello {name}! ")
        return "The greeting is on its way."  # the answer, if the client asks for one


def app(environ, start_response):
    if "socketio" in environ:  # a session; all else is yours to answer
        socketio_manage(environ, {"": Greetings})
        return []
    start_response("200 OK", [("Content-Type", "text/html")])
    return [PAGE]


serve(app, port=8080, client_js="node_modules/socket.io-client/dist/socket.io.js")
