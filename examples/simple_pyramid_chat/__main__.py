"""``python examples/simple_pyramid_chat``: development.ini, with HOST, PORT and ORIGINS as they are
in the environment."""

# ruff: noqa: E402 - what is imported before the patching may keep hold of what blocks

from gevent import monkey

monkey.patch_all()

import os
from pathlib import Path

from plaster import get_settings
from pyramid.paster import get_app, setup_logging

from socketio.server import serve

ini = str(Path(__file__).resolve().with_name("development.ini"))
setup_logging(ini)
options = get_settings(ini, "server:main")
del options["use"]
for name in ("host", "port", "origins"):
    options[name] = os.environ.get(name.upper(), options[name])
serve(get_app(ini), **options)
