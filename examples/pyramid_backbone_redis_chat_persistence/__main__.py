"""``python examples/pyramid_backbone_redis_chat_persistence``."""

import sys
from pathlib import Path

from gevent import monkey

monkey.patch_all()  # before anything is imported that waits: the Redis client does
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.pyramid_backbone_redis_chat_persistence.chat import main  # noqa: E402

main()
