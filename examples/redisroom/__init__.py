"""A room that several server processes share through Redis: what the two examples
``pyramid_backbone_redis_chat`` and ``pyramid_backbone_redis_chat_persistence`` have in common.

``room`` is where to begin; ``static`` has the models and views of their pages.
"""
