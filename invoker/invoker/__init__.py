"""The Lambda function in front of a SageMaker endpoint: validates, invokes, answers."""

__version__ = "0.1.0"
