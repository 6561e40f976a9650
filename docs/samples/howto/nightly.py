"""A job that is no server: run by cron, or by a worker of a job queue."""

from relay import tell_all

tell_all("said", "attic", "the report is ready", namespace="/chat", room="attic")
