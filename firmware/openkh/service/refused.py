"""The error of a command that is refused."""


class RefusedError(Exception):
    """Its text tells the person at the prompt what is wrong and what is allowed."""
