"""What is stored."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Message(models.Model):
    """Something that was said."""

    LONGEST = 500

    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    text = models.CharField(max_length=LONGEST)
    written = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.author}: {self.text}"

    def for_client(self) -> dict[str, str]:
        """Return it as JSON can carry it."""
        return {
            "author": self.author.get_username(),
            "text": self.text,
            "written": self.written.isoformat(),
        }
