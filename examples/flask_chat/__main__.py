"""``python examples/flask_chat``."""

from chat import main

main()
