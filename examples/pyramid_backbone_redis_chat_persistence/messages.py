"""The messages in the database."""

from __future__ import annotations

import time
from typing import TypedDict

from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker
from sqlalchemy.schema import CreateTable

__all__ = ["Messages", "Said"]


class Base(DeclarativeBase):
    """The tables."""


class Message(Base):
    """Something that was said."""

    __tablename__ = "message"
    id: Mapped[int] = mapped_column(primary_key=True)
    nickname: Mapped[str]
    text: Mapped[str]
    time: Mapped[float]


class Said(TypedDict):
    """A message as the clients get it."""

    id: int
    nickname: str
    text: str
    time: float


class Messages:
    """All that was said. Each method is one short transaction and keeps no connection after it.

    Args:
        url: Of the database, as SQLAlchemy takes it.
    """

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url)
        self._sessions = sessionmaker(self._engine)
        with self._engine.begin() as connection:
            # Not create_all(): it looks first, and two processes that start together both create.
            connection.execute(CreateTable(Message.__table__, if_not_exists=True))  # type: ignore[arg-type]

    def add(self, nickname: str, text: str) -> Said:
        """Keep a message; when this returns it is in the database."""
        with self._sessions.begin() as session:
            message = Message(nickname=nickname, text=text, time=time.time())
            session.add(message)
            session.flush()  # gives it its id
            return as_said(message)

    def before(self, message_id: int | None, most: int) -> list[Said]:
        """Return the last messages before that one, the oldest first; None: before now."""
        query = select(Message).order_by(Message.id.desc()).limit(most)
        if message_id is not None:
            query = query.where(Message.id < message_id)
        with self._sessions.begin() as session:
            return [as_said(message) for message in reversed(session.scalars(query).all())]

    def close(self) -> None:
        """Close the connections of the pool."""
        self._engine.dispose()


def as_said(message: Message) -> Said:
    """Return what does not belong to a transaction any more."""
    return {
        "id": message.id,
        "nickname": message.nickname,
        "text": message.text,
        "time": message.time,
    }
