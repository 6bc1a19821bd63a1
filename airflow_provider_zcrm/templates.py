"""Template fields of our operators: what holds no Jinja stays as the DAG wrote it.

With ``render_template_as_native_obj=True`` Airflow reads every string as a Python literal once it is rendered, also one without any
Jinja: the name ``2024_01`` becomes the number 202401, and ``'hot'`` loses its quotes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2
    from airflow.providers.common.compat.sdk import BaseOperator, Context
else:
    # Airflow gives every subclass of its operators a constructor, which would skip that of a sensor
    BaseOperator = object


class KeepsPlainStrings(BaseOperator):
    """To be named before Airflow's class among the bases of an operator or a sensor."""

    def render_template(
        self, content: Any, context: Context, jinja_env: jinja2.Environment | None = None, seen_oids: set[int] | None = None
    ) -> Any:
        """Return a string without Jinja as it is; Airflow renders the rest, and comes back here for each string in a list or dict."""
        jinja_env = jinja_env or self.get_template_env()
        if isinstance(content, str) and all(kind == "data" for _, kind, _ in jinja_env.lex(content)):
            return content
        return super().render_template(content, context, jinja_env, seen_oids)

    def _check_text(self, *arguments: str) -> None:
        """Refuse an argument that is not a name any more: its template, or another task's output, came out as something else.

        :raises InvalidArgument: names it
        """
        from airflow_provider_zcrm.rules.arguments import one_text_of

        for name in arguments:
            one_text_of(getattr(self, name), name)
