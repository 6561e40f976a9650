"""The commands that ``manage.py`` gets when ``INSTALLED_APPS`` has ``'socketio'``."""
