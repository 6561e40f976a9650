"""What no good WebSocket client sends, byte for byte, and what must come back (goal G5).

``run_vectors(server)`` runs them all; the server must serve :data:`NAMESPACES` and have its limits
as they are by default.
"""

from __future__ import annotations

from typing import Any

from tests.wsvectors.bad_upgrades import BAD_UPGRADES
from tests.wsvectors.frames import FRAMES
from tests.wsvectors.running import NAMESPACES, run_vector
from tests.wsvectors.vector import Vector

__all__ = ["NAMESPACES", "VECTORS", "run_vector", "run_vectors"]

VECTORS: list[Vector] = [*FRAMES, *BAD_UPGRADES]


def run_vectors(server: Any) -> list[tuple[str, bool, str]]:
    """Run every vector against ``server``; return name, whether it passed, and what came back."""
    results = [(vector, run_vector(server, vector)) for vector in VECTORS]
    return [(vector.name, got == vector.expected, got) for vector, got in results]
