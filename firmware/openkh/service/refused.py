"""A command is refused: what is wrong, and what is allowed."""


class RefusedError(Exception):
    """The text is for the person at the prompt."""
