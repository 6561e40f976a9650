"""The promises of the library, measured: ``python -m tests.trust``, or ``make trust``."""
