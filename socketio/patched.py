"""The server of .ini files for applications that need a patched standard library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gevent import monkey

__all__ = ["patched_server"]


def patched_server(global_conf: dict[str, str], **options: str) -> Callable[[Any], int]:
    """Patch the standard library and return what serves an application.

    For ``use = egg:gevent-socketio#patched`` in the server's section: pserve makes the server
    before it imports the application, so that nothing of it has kept hold of what blocks. In the
    main thread, and not while a module is imported, for neither goes well while other threads run,
    such as those of ``pserve --reload``.

    Args:
        global_conf: The section ``[DEFAULT]``.
        **options: As :func:`socketio.server.serve` takes them.

    Returns:
        A function that takes the application and serves it until interrupted; see
        :func:`socketio.server.serve_paste`.

    .. versionadded:: 1.0
    """
    monkey.patch_all()
    from socketio.server import serve_paste  # it imports what is to be patched before

    return lambda app: serve_paste(app, global_conf, **options)
