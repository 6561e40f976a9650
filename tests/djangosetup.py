"""Django in the process of the tests: importing this module sets it up.

There is no settings module. Other than of a database in memory, connections to the database
``file`` can be closed.
"""

from __future__ import annotations

import os

import django
from django.conf import settings

_SETTINGS = {
    "INSTALLED_APPS": ["django.contrib.sessions", "socketio"],
    "DATABASES": {
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
        "file": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.devnull,
            "CONN_MAX_AGE": None,
            "ATOMIC_REQUESTS": True,
        },
    },
    "LANGUAGES": [("en", "English"), ("de", "Deutsch")],
    "LOGGING_CONFIG": None,
    "MIDDLEWARE": ["django.contrib.sessions.middleware.SessionMiddleware"],
    "ROOT_URLCONF": "tests.djangourls",
    "SECRET_KEY": "of the tests",
    "SESSION_ENGINE": "django.contrib.sessions.backends.cache",
    "USE_TZ": True,
}


settings.configure(**_SETTINGS)
django.setup()
