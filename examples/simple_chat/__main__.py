"""``python examples/simple_chat``."""

import sys

from chat import main

sys.exit(main())
