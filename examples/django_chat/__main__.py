"""``python examples/django_chat``: makes the tables and serves the project at HOST and PORT.

While you work on it, ``python manage.py runserver_socketio`` starts again with each change.
"""

# ruff: noqa: E402 - what is imported before the patching may keep hold of what blocks

from gevent import monkey

monkey.patch_all()

import os

import django
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()
call_command("migrate", verbosity=0)
host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8080")
call_command("runserver_socketio", f"{host}:{port}", use_reloader=False)
