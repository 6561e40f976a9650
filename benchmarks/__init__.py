"""What one second of server CPU time buys, beside other Socket.IO servers.

Run ``python -m benchmarks --help``. Every figure of a run is measured for all servers in turn, on
one machine: compare the ratios, not the figures of two runs.
"""
