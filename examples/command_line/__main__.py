"""``python examples/command_line``: ``python -m socketio live:namespaces`` from any folder.

More options of the command line may follow, ``--reload`` for instance.
"""

import os
import sys
from pathlib import Path

from socketio.commandline import main

live = Path(__file__).resolve().with_name("live.py")
host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8080")
origins = os.environ.get("ORIGINS", "")  # none: only pages of this server
arguments = [f"{live}:namespaces", "--host", host, "--port", port, "--origins", origins]
sys.exit(main([*arguments, *sys.argv[1:]]))
