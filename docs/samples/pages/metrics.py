"""What docs/monitoring.rst shows: the numbers of a server, for Prometheus."""

from gevent.pywsgi import WSGIServer

from socketio.metrics import metrics_app


def serve_metrics(server, address=("127.0.0.1", 9100)):
    metrics = WSGIServer(address, metrics_app(server))
    metrics.start()
    return metrics  # stop() ends it
