"""The URLs of Django in the process of the tests, as the original had its users write them."""

from __future__ import annotations

from django.urls import include, re_path

import socketio.sdjango

socketio.sdjango.autodiscover()

urlpatterns = [re_path(r"^socket\.io", include(socketio.sdjango.urls))]
