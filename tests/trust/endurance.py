"""The long soak: ``make soak``, or ``python -m tests.trust.endurance --seconds 600 --clients 200``.

Prints a line every few seconds and what it found; exits with 1 when something was lost, repeated or
out of order, or when the server's memory grew by more than a twentieth.
"""

from __future__ import annotations

import argparse
import sys

import gevent

from tests.trust.soak import Soak
from tests.trust.stage import Stage

_MOST_GROWTH = 5.0


def show(soak: Soak) -> None:
    """Print each sample as it comes."""
    shown = 0
    while True:
        for sample in soak.samples[shown:]:
            shown += 1
            sys.stdout.write(
                f"{sample['seconds']:6.0f} s  {sample['rss'] / 1e6:6.1f} MB  "
                f"{sample['sessions']:4.0f} sessions  {sample['greenlets']:5.0f} greenlets  "
                f"{sample['heard']:9,.0f} numbers\n"
            )
            sys.stdout.flush()
        gevent.sleep(0.5)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.trust.endurance", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    stage = Stage()
    place = stage.serve("tests.trust.apps_soak:namespaces", handshake_timeout=5, close_timeout=5)
    soak = Soak(place, seconds=options.seconds, clients=options.clients, seed=options.seed)
    viewer = gevent.spawn(show, soak)
    failed = True
    try:
        soak.run()
        failed = False
    finally:
        viewer.kill()
        stage.end_row(failed=failed)
    for name, counter in (("endings", soak.endings), ("faults", soak.faults)):
        counted = ", ".join(f"{what} {count}" for what, count in counter.most_common())
        sys.stdout.write(f"{name}: {counted}\n")
    over = ", ".join(f"{name} {count}" for name, count in soak.transports.most_common())
    sys.stdout.write(f"transports: {over}\n{soak.summary()}\n")
    sys.stdout.write(f"the canary's worst round trip: {stage.worst_ms:.0f} ms\n")
    for violation in soak.violations[:20]:
        sys.stdout.write(f"violation: {violation}\n")
    return 1 if soak.violations or soak.growth()[0] > _MOST_GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())
