"""The pages; those to log in and out are Django's."""

from __future__ import annotations

from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.mixins import LoginRequiredMixin
from django.urls import reverse_lazy
from django.views.generic import CreateView, TemplateView


class Room(LoginRequiredMixin, TemplateView):
    """The chat room."""

    template_name = "chat/room.html"


class SignUp(CreateView):
    """Makes an account."""

    form_class = UserCreationForm
    template_name = "registration/signup.html"
    success_url = reverse_lazy("login")
