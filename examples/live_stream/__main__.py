"""``python examples/live_stream``."""

from stream import main

main()
