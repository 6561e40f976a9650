"""Settings of the chat. What Socket.IO needs is at the end."""

from __future__ import annotations

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[1]

DEBUG = os.environ.get("DJANGO_DEBUG", "yes") == "yes"
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "not a secret: only good for trying it out")
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
if DEBUG and os.environ.get("HOST") in ("0.0.0.0", "::"):  # noqa: S104 - a look on a phone
    ALLOWED_HOSTS = ["*"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "socketio",
    "chat",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DJANGO_DATABASE", BASE_DIR / "chat.sqlite3"),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR.parent / "look"]
TIME_ZONE = "UTC"
USE_TZ = True
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "room"

# The JavaScript client comes from npm, see the README.
CLIENT = BASE_DIR.parent / "node_modules/socket.io-client/dist/socket.io.js"
SOCKETIO = {
    "client_js": CLIENT if CLIENT.is_file() else None,
    "origins": os.environ.get("ORIGINS"),  # None: only pages of this server
}
