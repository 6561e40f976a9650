"""``python examples/testapp``."""

from testapp import main

main()
