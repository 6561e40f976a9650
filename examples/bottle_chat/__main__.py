"""``python examples/bottle_chat``."""

from chat import main

main()
