"""The application of the WebSocket vectors: it says everything again, and answers the canary."""

from __future__ import annotations

from typing import Any

from tests import wsvectors

__all__ = ["facts", "namespaces"]


class Echo(wsvectors.NAMESPACES[""]):
    """Echoes events too."""

    def on_echo(self, *args: Any) -> Any:
        return args


def facts() -> dict[str, Any]:
    """Return nothing: what the vectors want to know they are told."""
    return {}


namespaces: dict[str, Any] = {"": Echo}
