"""The project: settings, URLs, and the application for servers."""
