"""Says where the process is when it gets a signal. Import it in what is served."""

import faulthandler
import signal

import gevent
from gevent.util import print_run_info

faulthandler.register(signal.SIGUSR1)  # what runs now, also when nothing else can
gevent.signal_handler(signal.SIGUSR2, print_run_info)  # every greenlet, where it waits
