"""What can go wrong with a measurement.

BenchmarkError
├── LoadError
└── ServerError
"""


class BenchmarkError(Exception):
    """Raise when there is no measuring; the message is for whoever ran it."""


class LoadError(BenchmarkError):
    """Raise when the load generator is missing, or did not run to its end."""


class ServerError(BenchmarkError):
    """Raise when a server does not start, or does not answer what its model predicts."""
