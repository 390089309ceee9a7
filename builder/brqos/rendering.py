"""Text payloads from `templates/`, with delimiters that occur nowhere in Handlebars, TOML or RPM spec files."""

from brqos.resources import data_directory


def render(template: str, **values: object) -> str:
    """The file `templates/<template>` with its values; a value that is missing is a bug and raises UndefinedError."""
    # Jinja costs a tenth of a second to import, and most commands render nothing.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        # What a value holds must not become markup; the other payloads are no markup at all.
        autoescape=template.endswith(".html"),
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
    return environment.get_template(template).render(**values)
