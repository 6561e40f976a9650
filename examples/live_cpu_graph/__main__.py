"""``python examples/live_cpu_graph``."""

from cpu import main

main()
