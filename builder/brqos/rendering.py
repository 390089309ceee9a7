"""Text payloads from `templates/`, with delimiters that occur nowhere in Handlebars, TOML or RPM spec files."""

from functools import cache
from typing import TYPE_CHECKING

from brqos.resources import data_directory

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **values: object) -> str:
    """The file `templates/<template>` with its values; a value that is missing is a bug and raises UndefinedError."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> "Environment":
    """Kept, since it keeps the templates that it has compiled: a fleet of builds renders each of them many times."""
    # Jinja costs a tenth of a second to import, and most commands render nothing.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    return Environment(
        # What a value holds must not become markup; the other payloads are no markup at all.
        autoescape=select_autoescape(["html"]),
        loader=FileSystemLoader(data_directory("templates")),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<@",
        variable_end_string="@>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
