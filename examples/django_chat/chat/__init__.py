"""The chat: one room, for people with an account."""
