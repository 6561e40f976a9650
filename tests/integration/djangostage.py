"""What the tests of Django share: the project of ``examples/django_chat``, copied and served.

To what people have in a project the copy adds an app ``probe``, for what the example does not show.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.chatting import needs
from tests.subprograms import TOP, Subprogram, running

__all__ = ["Served", "cookies", "log_in", "make_project", "manage", "project", "serving"]

EXAMPLE = TOP / "examples" / "django_chat"
PASSWORD = "correct horse battery staple"

PROBE_SETTINGS = """
from project.settings import *

INSTALLED_APPS += ["probe"]
MIDDLEWARE.insert(3, "django.middleware.locale.LocaleMiddleware")
MIDDLEWARE.append("probe.middleware.zone")
ROOT_URLCONF = "probe.urls"
DATABASES["other"] = {**DATABASES["default"], "NAME": BASE_DIR / "other.sqlite3"}
for database in DATABASES.values():
    # What keeps connections and transactions open for longest.
    database |= {"CONN_MAX_AGE": None, "ATOMIC_REQUESTS": True}
"""

PROBE_MIDDLEWARE = """
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.utils import timezone


def zone(get_response):
    def middleware(request):
        # As many do, it asks the databases before each view.
        request.people = User.objects.count(), User.objects.using("other").exists
        timezone.activate(ZoneInfo("Asia/Tokyo"))
        return get_response(request)

    return middleware
"""

PROBE_URLS = """
from django.http import HttpResponse
from django.urls import path

from project.urls import urlpatterns


def color(request):
    if "is" in request.GET:
        request.session["color"] = request.GET["is"]
    return HttpResponse(request.session.get("color", "none"))


urlpatterns = [*urlpatterns, path("color", color, name="color")]
"""

PROBE_SOCKETS = """
import gc
import sys

from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import atomic
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from socketio.namespace import BaseNamespace
from socketio.sdjango import namespace


def connections_open():
    gc.collect()  # what a greenlet leaves behind when it ends
    # Not isinstance(): it would load every lazy user there is.
    made = [each for each in gc.get_objects() if issubclass(type(each), BaseDatabaseWrapper)]
    return sum(1 for each in made if each.connection is not None)


@namespace("/probe")
class Probe(BaseNamespace):
    def on_who(self):
        return self.request.user.get_username(), get_user(self.request).is_authenticated

    def on_color(self, value=None):
        if value is not None:
            self.request.session["color"] = value
        return self.request.session.get("color", "none")

    def on_fail(self, value):
        self.request.session["color"] = value
        User.objects.create(username="half done")
        raise RuntimeError("told to fail")

    @atomic
    def on_fail_atomic(self):
        User.objects.create(username="undone")
        raise RuntimeError("told to fail")

    def on_exists(self, name):
        return User.objects.filter(username=name).exists()

    def on_open(self):
        return connections_open()

    def on_query(self):
        User.objects.count()
        return connections_open(), connection.in_atomic_block, len(connection.queries)

    def on_spawn(self):
        self.spawn(self.work)

    def work(self):
        self.emit("worked", User.objects.using("other").db, *self.on_query())

    def recv_disconnect(self):
        User.objects.count()
        reason = self.socket.disconnect_reason.value
        sys.stderr.write(f"recv_disconnect of {self.ns_name}: {reason}\\n")

    def on_local(self):
        return gettext("Yes"), timezone.get_current_timezone_name(), reverse("color")
"""

PROBE = {
    "probe_settings.py": PROBE_SETTINGS,
    "probe/__init__.py": "",
    "probe/middleware.py": PROBE_MIDDLEWARE,
    "probe/urls.py": PROBE_URLS,
    "probe/sockets.py": PROBE_SOCKETS,
}


def make_project(directory: Path) -> Path:
    """Return a copy of the example in ``directory``, with the app ``probe`` and tables."""
    needs("django")
    project = directory / "django_chat"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3"))
    (directory / "look").symlink_to(EXAMPLE.parent / "look")
    for name, text in PROBE.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)
    assert "OK" in manage(project, "migrate", "--no-color").stdout
    return project


def manage(project: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run ``manage.py`` to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *args],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@dataclass
class Served:
    """A project that is served."""

    process: Subprogram
    url: str


@contextlib.contextmanager
def serving(project: Path, *args: str, settings: str = "project.settings") -> Iterator[Served]:
    """Run ``manage.py runserver_socketio``; it serves when this is entered."""
    command = [sys.executable, "manage.py", "runserver_socketio", *args]
    with running(command, env={"DJANGO_SETTINGS_MODULE": settings}, cwd=project) as process:
        url = process.wait_for_line(r"Starting .*development server at (\S+)/$")[1]
        yield Served(process, url)


class Person(requests.Session):
    """Somebody with cookies, and a connection of its own for each request."""

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request; the connection, and that of the server to the database, end with it."""
        with self:
            return super().request(*args, timeout=30, **kwargs)


def log_in(url: str, name: str) -> Person:
    """Make an account and log in, as people do; returns who is logged in."""
    person = Person()

    def fill_in(page: str, **fields: str) -> None:
        shown = person.get(f"{url}/{page}/")
        assert shown.status_code == 200, shown.text
        fields["csrfmiddlewaretoken"] = person.cookies["csrftoken"]
        sent = person.post(f"{url}/{page}/", fields, allow_redirects=False)
        assert sent.status_code == 302, sent.text

    fill_in("signup", username=name, password1=PASSWORD, password2=PASSWORD)
    fill_in("login", username=name, password=PASSWORD)
    return person


def cookies(person: Person) -> dict[str, str]:
    """Return the header with the cookies of a person."""
    pairs = person.cookies.get_dict().items()
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in pairs)}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of the module's own."""
    return make_project(tmp_path_factory.mktemp("django"))
