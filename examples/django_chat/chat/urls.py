"""URLs of the chat's pages."""

from __future__ import annotations

from django.urls import path

from . import views

urlpatterns = [
    path("", views.Room.as_view(), name="room"),
    path("signup/", views.SignUp.as_view(), name="signup"),
]
