"""The report by mail."""

from __future__ import annotations

from pyruse import Context, Mail, Report, hookimpl


class MailReport:
    """Mail each day's report, as text and as HTML, to the addresses in `[email] to`.

    `[report] subject` is a template; it may have `{day}`, `{host}` (several are separated by
    commas), `{entries}` (how many were read), and how many rows the sections have: `{important}`,
    `{interesting}`, `{other}`:

    ```toml
    [report]
    subject = "{host}: {important} important, {interesting} interesting on {day}"
    ```

    Nothing is mailed where `[email] to` is empty.
    """

    @hookimpl
    def on_day_end(self, report: Report, context: Context) -> None:
        if not context.recipients:
            return
        # HTML first: a fault in its template is told by a note, which then is in the text, too.
        html = context.render(report, "html")
        context.mail(None, Mail(context.subject(report), context.render(report, "text"), html))
