"""Pages that a person opens in a browser or prints: one self-contained HTML file, from a template in templates/.

    text = render("verification.html", title=..., ...)

A template extends base.html, which brings the look (style.css) and the head, and takes what it repeats from parts.html.
Values are text, not markup: they are escaped. Markup that code has made (plot.inline) is marked as such there.
"""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).resolve().parent / "templates"

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,  # a name that is missing is an error, no gap in a report
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(template: str, **values: Any) -> str:
    """The page that `template` makes of `values`; jinja2.UndefinedError where one is missing."""
    return _ENVIRONMENT.get_template(template).render(**values)
