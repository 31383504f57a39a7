"""The report by mail."""

from __future__ import annotations

from pyruse import Context, Mail, Report, hookimpl

_HTML = 0.5
_TEXT = 0.22
"""Of what a mail may have: with what encoding adds, a third at most (RFC 2045), it is all of it."""


class MailReport:
    """Mail each day's report, as text and as HTML, to the addresses in `[email] to`.

    `[report] subject` is a template; it may have `{day}`, `{host}` (several are separated by
    commas), `{entries}` (how many were read), and how many rows the sections have: `{important}`,
    `{interesting}`, `{other}`:

    ```toml
    [report]
    subject = "{host}: {important} important, {interesting} interesting on {day}"
    ```

    The mail is no larger than `[report] largest`, and than the mail server takes. It tells how many
    rows are cut: of the events called other first, of the important ones last.

    Nothing is mailed where `[email] to` is empty.
    """

    @hookimpl
    def publish_report(self, report: Report, context: Context) -> None:
        if not context.recipients:
            return
        # HTML first: a fault in its template is told by a note, which then is in the text, too.
        html = context.render(report, "html", int(_HTML * context.largest))
        text = context.render(report, "text", int(_TEXT * context.largest))
        context.mail(None, Mail(context.subject(report), text, html))
