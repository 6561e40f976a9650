"""URLs of the project."""

from __future__ import annotations

from django.urls import include, path, re_path

import socketio.sdjango

socketio.sdjango.autodiscover()

urlpatterns = [
    re_path(r"^socket\.io", include(socketio.sdjango.urls)),
    path("", include("chat.urls")),
    path("", include("django.contrib.auth.urls")),
]
