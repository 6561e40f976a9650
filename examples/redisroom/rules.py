"""What people may be called and may say, and how a refusal reaches them."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable

__all__ = ["RefusedError", "clean_nickname", "clean_text", "refusals_become_answers"]

MAX_NICKNAME = 24
MAX_TEXT = 1000


class RefusedError(Exception):
    """A request cannot be met; the text says why, to the person who asked."""


def refusals_become_answers(handler: Callable[..., object]) -> Callable[..., object]:
    """Wrap a handler: the acknowledgement of what it refuses is ``(false, reason)``."""

    @functools.wraps(handler)
    def answer(*args: object) -> object:
        try:
            return handler(*args)
        except RefusedError as refusal:
            return False, str(refusal)

    return answer


def clean_nickname(value: object) -> str:
    """Return a nickname as it will be shown, or refuse it."""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise RefusedError("A nickname is a short text.")
    name = " ".join(unicodedata.normalize("NFC", value).split())
    if not 1 <= len(name) <= MAX_NICKNAME:
        raise RefusedError(f"A nickname has 1 to {MAX_NICKNAME} characters.")
    if not name.isprintable():
        raise RefusedError("A nickname has no invisible characters.")
    return name


def clean_text(value: object) -> str:
    """Return what somebody says, or refuse it."""
    if not isinstance(value, str):
        raise RefusedError("A message is text.")
    if len(value) > MAX_TEXT:
        raise RefusedError(f"A message has at most {MAX_TEXT} characters.")
    # JSON can carry NUL and halves of characters; no database takes them.
    text = value.replace("\0", "").encode(errors="replace").decode().strip()
    if not text:
        raise RefusedError("The message is empty.")
    return text
