"""How the tools turn down what a person gave them: one line that says what, where, and what is allowed."""


class RefusedError(Exception):
    """Unusable arguments or files; the text is one line and becomes the whole error message (exit status 2)."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split()))


def read_text(path: str, what: str) -> str:
    """The text of the UTF-8 file `path`. `what` names its role ("scenario", ...) for the message."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as f:
            return f.read()
    except UnicodeDecodeError as e:
        raise RefusedError(f"{what} {path}: not a UTF-8 text file (byte {e.start})") from None
    except (OSError, ValueError) as e:  # ValueError: a NUL in the name
        raise RefusedError(f"{what} {path}: cannot be read: {getattr(e, 'strerror', None) or e}") from None
