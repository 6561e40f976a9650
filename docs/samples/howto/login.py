"""Only who shows a signed token gets a session."""

import os
from urllib.parse import parse_qs

from itsdangerous import BadSignature, URLSafeTimedSerializer

from socketio import socketio_manage
from socketio.errors import UnauthorizedError
from socketio.namespace import BaseNamespace
from socketio.server import serve

SIGNER = URLSafeTimedSerializer(os.environ["SECRET_KEY"], salt="socket")
SECONDS = 600


def token_for(user):
    """Call it in the view of the page, for who has logged in there."""
    return SIGNER.dumps(user)


def authorize(environ):
    """Called once for each handshake; what it returns becomes part of the session."""
    query = parse_qs(environ["QUERY_STRING"])
    try:
        return {"user": SIGNER.loads(query["token"][0], max_age=SECONDS)}
    except (KeyError, BadSignature) as error:
        raise UnauthorizedError(f"no valid token: {error}") from None


class Chat(BaseNamespace):
    def on_whoami(self):
        return self.session["user"]


def app(environ, start_response):
    if "socketio" in environ:
        socketio_manage(environ, {"/chat": Chat})
        return []
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"log in here\n"]


if __name__ == "__main__":
    serve(app, port=os.environ.get("PORT", "8080"), authorize=authorize)
