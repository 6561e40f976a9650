"""F65 and G15: the soak, as long as the form of the run allows; ``make soak`` runs ten minutes."""

from __future__ import annotations

from tests.trust.rows import Figure, row
from tests.trust.soak import Soak
from tests.trust.stage import Stage


@row(
    "F65",
    "a soak: clients on all transports, faults at random, numbered messages both ways",
    passes="exactly once and in order while a session lives, its end reported once",
)
def soak(stage: Stage) -> Figure:
    place = stage.serve("tests.trust.apps_soak:namespaces", handshake_timeout=2, close_timeout=2)
    run = Soak(place, seconds=max(2, 25 * stage.scale), clients=60, seed=65)
    run.run()
    ok = not run.violations and run.heard > 0 and run.sessions > 0
    return Figure(ok, "; ".join([run.summary(), *run.violations[:3]]))
