"""The application of :mod:`tests.trust.apps_life`, which also counts what the library left."""

from __future__ import annotations

import gc
from collections import Counter
from typing import Any

from tests.trust import apps_life

namespaces = apps_life.namespaces


def living() -> dict[str, int]:
    """Count the objects whose class is the library's."""
    kinds = [kind for kind in map(type, gc.get_objects()) if isinstance(kind.__module__, str)]
    return dict(Counter(kind.__name__ for kind in kinds if kind.__module__.startswith("socketio.")))


def facts() -> dict[str, Any]:
    """Return what the rows may ask for."""
    return {**apps_life.facts(), "living": living(), "garbage": len(gc.garbage)}
