"""The Jinja2 templates of `codegen/`: every decision is made before a template sees it."""

from functools import cache

import jinja2

from nasir import resources


def template(name: str) -> jinja2.Template:
    """A template by its file name. Values are escaped in SVG and HTML; Python source gets none that need it."""
    return _environment().get_template(name)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.folder("codegen")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=jinja2.select_autoescape(("svg.j2", "html.j2"), default=False),
    )
