"""The configurations of docs/deployment run by the real programs, and servers behind them.

Nothing here is cooperative: tests, proxies and servers are processes apart.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

from tests.integration.proxiedservers import Backend, wait_until
from tests.integration.proxyasking import HERE, Answer, ask
from tests.remote import RemoteClients
from tests.subprograms import TOP, Subprogram, free_port, running
from tests.tools import missing

DEPLOYMENT = TOP / "docs" / "deployment"
NGINX = ("nginx.conf", "nginx-tls.conf", "nginx-several.conf")
HAPROXY = ("haproxy.cfg", "haproxy-several.cfg")


# -- programs in front ---------------------------------------------------------------------------


@dataclass
class Certificate:
    """A certificate for this machine, as files."""

    chain: Path
    key: Path
    both: Path
    authority: Path

    @classmethod
    def issue(cls, folder: Path) -> Certificate:
        """Make one."""
        authority = trustme.CA()
        leaf = authority.issue_cert(HERE)
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        key = leaf.private_key_pem.bytes()
        made = cls(*[folder / name for name in ("chain.pem", "key.pem", "both.pem", "ca.pem")])
        made.chain.write_bytes(chain)
        made.key.write_bytes(key)
        made.both.write_bytes(chain + key)
        made.authority.write_bytes(authority.cert_pem.bytes())
        return made


def find_program(name: str) -> str:
    """Return its path; without it the test is skipped, or fails where it has to be there."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    return found or missing(name)


def substituted(name: str, changes: Mapping[str, str]) -> str:
    """Return a file of docs/deployment with other addresses; each must be in it."""
    text = (DEPLOYMENT / name).read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return text


# What a distribution's own file has around ours; Debian's turns gzip on.
_NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    {paths}
    access_log off;
    gzip on;
    include {folder}/ours.conf;
}}
"""
# What takes privileges or more descriptors than a test may have, and a log that can be read.
_HAPROXY = {
    "    user haproxy\n    group haproxy\n    chroot /var/lib/haproxy\n": "",
    "maxconn 20000": "maxconn 500",
    "log /dev/log local0": "log stdout format raw local0",
}


def write_nginx(folder: Path, name: str, changes: Mapping[str, str]) -> list[str]:
    """Write a configuration of nginx's, and return the command that runs it."""
    program = find_program("nginx")
    more = {"/var/log/nginx/socketio.log": str(folder / "access.log")}
    text = substituted(name, {**more, **changes})
    (folder / "ours.conf").write_text(text, encoding="utf-8")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    outer = folder / "nginx.conf"
    outer.write_text(_NGINX.format(folder=folder, paths=paths), encoding="utf-8")
    return [program, "-e", "stderr", "-c", str(outer)]


def write_haproxy(folder: Path, name: str, changes: Mapping[str, str]) -> list[str]:
    """Write a configuration of HAProxy's, and return the command that runs it."""
    program = find_program("haproxy")
    file = folder / "haproxy.cfg"
    file.write_text(substituted(name, {**_HAPROXY, **changes}), encoding="utf-8")
    return [program, "-db", "-f", str(file)]


class Front:
    """A proxy with one of our configurations, and a way to ask it.

    Args:
        folder: Where its files go.
        name: The file of docs/deployment.
        servers: What is behind it: ports, or the path of a Unix socket.
        tls: Whether it is asked over TLS.
    """

    def __init__(self, folder: Path, name: str, *servers: int | Path, tls: bool = False) -> None:
        self.port, secure = free_port(), free_port()
        self._plain = self.port
        self._folder = folder
        certificate = Certificate.issue(folder)
        if name.startswith("nginx"):
            changes = {"listen 80;": f"listen {HERE}:{self.port};"}
            if name == "nginx-tls.conf":
                changes["listen 443 "] = f"listen {HERE}:{secure} "
                changes["/etc/ssl/chat.example.com/fullchain.pem"] = str(certificate.chain)
                changes["/etc/ssl/chat.example.com/privkey.pem"] = str(certificate.key)
        else:
            changes = {
                "bind :80\n": f"bind {HERE}:{self.port}\n",
                "bind :443 ": f"bind {HERE}:{secure} ",
                "/etc/haproxy/chat.example.com.pem": str(certificate.both),
            }
        for number, server in enumerate(servers):
            if isinstance(server, Path):
                changes["unix:/run/chat/socketio.sock"] = f"unix:{server}"
            else:
                old = 8080 if len(servers) == 1 else 8081 + number
                changes[f"{HERE}:{old}"] = f"{HERE}:{server}"
        write = write_nginx if name.startswith("nginx") else write_haproxy
        self.command = write(folder, name, changes)
        self.tls: ssl.SSLContext | None = None
        self._authority: Path | None = None
        if tls:
            self.port, self._authority = secure, certificate.authority
            self.tls = ssl.create_default_context(cafile=certificate.authority)
        self._life: contextlib.ExitStack
        self._process: Subprogram

    def __enter__(self) -> Front:
        with contextlib.ExitStack() as life:
            self._process = life.enter_context(running(self.command))
            wait_until(self._listens, f"{self.command[0]} listens")
            self._life = life.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._life.close()

    def _listens(self) -> bool:
        assert self._process.running(), self._process.output()
        with contextlib.suppress(OSError), socket.create_connection((HERE, self._plain), 5):
            return True
        return False

    @property
    def origin(self) -> str:
        """Where a browser finds it."""
        return f"http{'s' if self.tls else ''}://{HERE}:{self.port}"

    def clients(self, transport: str, **headers: str) -> RemoteClients:
        """Return real clients, who trust its certificate; for a with statement."""
        return RemoteClients(transport, ca=self._authority, headers=headers)

    def ask(self, path: str, **request: Any) -> Answer:
        """Send one request, see :func:`ask`."""
        return ask(self.port, path, tls=self.tls, **request)

    def output(self) -> str:
        """Return what it has printed and written to its access log."""
        file = self._folder / "access.log"
        return self._process.output() + (file.read_text() if file.exists() else "")


def check(command: list[str]) -> str:
    """Have a proxy read its configuration; returns what it says of it."""
    option = "-t" if "nginx" in command[0] else "-c"
    done = subprocess.run(
        [command[0], option, *command[1:]],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


# The file, whether it is asked over TLS, and who the server takes the proxy for.
FRONTS = {
    "nginx": ("nginx.conf", False, HERE),
    "nginx over TLS": ("nginx-tls.conf", True, "unix"),
    "haproxy": ("haproxy.cfg", False, HERE),
    "haproxy over TLS": ("haproxy.cfg", True, HERE),
}


@dataclass
class Stage:
    """A proxy, and the server behind it."""

    front: Front
    server: Backend
    proxy: str
    """What the server knows the proxy by."""


@contextlib.contextmanager
def staged(front: str) -> Iterator[Stage]:
    """Run one of :data:`FRONTS` and a server behind it."""
    name, tls, peer = FRONTS[front]
    # Not pytest's folder: the path of a Unix socket may not be long.
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        listen: int | Path = folder / "server.sock" if peer == "unix" else 0
        with (
            Backend(listen, proxies=peer) as server,
            Front(folder, name, listen or server.port, tls=tls) as proxy,
        ):
            yield Stage(proxy, server, peer)
