"""What we take from gunicorn, or how to get it."""

from __future__ import annotations

try:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.ggevent import GeventPyWSGIWorker, PyWSGIHandler
except (ImportError, RuntimeError) as exc:  # RuntimeError: gevent is too old for it
    raise ImportError(
        f"socketio.sgunicorn needs gunicorn with its gevent extra ({exc}); "
        "pip install 'gunicorn[gevent]>=23'"
    ) from exc

__all__ = ["WORKER_BOOT_ERROR", "GeventPyWSGIWorker", "PyWSGIHandler"]

WORKER_BOOT_ERROR: int = Arbiter.WORKER_BOOT_ERROR
"""The exit status of a worker after which gunicorn does not start another one."""
