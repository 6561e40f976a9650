import chat
import pytest


@pytest.fixture
def socketio_app():
    return chat.app


@pytest.fixture
def socketio_options():
    return {"authorize": chat.authorize}
