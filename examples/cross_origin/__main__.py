"""``python examples/cross_origin``."""

from origins import main

main()
