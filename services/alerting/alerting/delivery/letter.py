"""A bell as a mail: text and HTML that say the same, readable on a phone and on a lock screen."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from zoneinfo import ZoneInfo

from alerting.delivery.bell import TEST, Bell, Due

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_BANNER = "background:#ffe08a;color:#3d2c00;padding:10px 20px;font-size:15px;font-weight:700;"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


REHEARSAL = "REHEARSAL: an exercise on invented cases. No patient is concerned."


def letter(bell: Bell, *, notice_id: str, sender: str, to: str, is_rehearsal: bool = False) -> EmailMessage:
    """The mail for one address. `Message-ID` follows from the notice: a second copy is seen to be one.

    A mail of a rehearsal says so before anything else, in the subject and in both texts.
    """
    title = _title(bell)
    domain = sender.rpartition("@")[2].rstrip(">") or "tocsin.invalid"
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = f"{'[REHEARSAL] ' if is_rehearsal else ''}[Tocsin] {title}"
    mail["From"] = sender
    mail["To"] = to
    mail["Date"] = format_datetime(bell.sent_at)
    mail["Message-ID"] = f"<{notice_id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    if bell.level == "page":
        mail["Importance"] = "high"
        mail["X-Priority"] = "1"
    lines = _lines(bell)
    banner = REHEARSAL if is_rehearsal else ""
    mail.set_content(_text(bell, banner, lines))
    mail.add_alternative(_html(bell, banner, title, lines), subtype="html")
    return mail


def _title(bell: Bell) -> str:
    if bell.to == "site":
        what = "1 question for you" if bell.count == 1 else f"{bell.count} questions for you"
    else:
        what = ", ".join([bell.words, *([bell.due.clock] if bell.due else [])])
    return f"{bell.case_id}: {what}" if bell.case_id else what


def _opening(bell: Bell) -> tuple[str, str, str]:
    """The first line, the words on the link, and what the link does."""
    if bell.to == "site":
        return (
            "The sponsor's safety desk asks you something about a report.",
            "Read and answer with your site's key",
            "The system you report with answers it at this address. What is asked is not written in this e-mail.",
        )
    if bell.kind == TEST:
        return (
            "This tests whether Tocsin reaches you. Nothing has happened.",
            "Open the desk",
            "Nothing is to be acknowledged.",
        )
    if bell.level in ("page", "overdue", "critical", "escalate"):
        ring = f"{bell.case_id} is ringing you." if bell.case_id else "Tocsin is ringing you."
    else:
        ring = f"{bell.case_id}: for you to know." if bell.case_id else "For you to know and to look after."
    return ring, "Open to acknowledge", "You sign in first. Opening this link does not acknowledge."


def _lines(bell: Bell) -> list[tuple[str, str]]:
    lines = [("Case", bell.case_id)] if bell.case_id else []
    if bell.to == "site":
        return [*lines, ("Asked", "1 question" if bell.count == 1 else f"{bell.count} questions")]
    kind = bell.words[:1].upper() + bell.words[1:]
    if bell.due:
        kind += f"; {bell.due.clock}" + (" (provisional)" if bell.due.is_provisional else "")
    lines.append(("Kind", kind))
    if bell.due:
        lines.append(("Due", due_words(bell.due, bell.zone)))
    if bell.answer_by:
        lines.append(("Answer", f"by {_moment(bell.answer_by, bell)} ({bell.zone.key}), or the next person is rung"))
    if bell.step:
        lines.append(("Why you", bell.reason))
    return lines


def _text(bell: Bell, banner: str, lines: list[tuple[str, str]]) -> str:
    opening, action, note = _opening(bell)
    width = max(len(name) for name, _ in lines) + 2
    facts = "\n".join(f"{name + ':':<{width}}{value}" for name, value in lines)
    first = f"{banner}\n\n" if banner else ""
    return (
        f"{first}{opening}\n\n{facts}\n\n{action.removeprefix('Open to ').capitalize()}:\n{bell.link}\n\n{note}\n"
        f"This e-mail carries no patient detail by design. Replies are not read.\n\n{_sent(bell)}\n"
    )


def _html(bell: Bell, banner: str, title: str, lines: list[tuple[str, str]]) -> str:
    opening, action, note = _opening(bell)
    rows = "".join(
        '<tr><td style="padding:3px 16px 3px 0;color:#46534f;vertical-align:top;">'
        f'{escape(name)}</td><td style="padding:3px 0;font-weight:600;">{escape(value)}</td></tr>'
        for name, value in lines
    )
    return _template().substitute(
        title=escape(f"{banner} {title}" if banner else title),
        banner=f'<tr><td style="{_BANNER}">{escape(banner)}</td></tr>' if banner else "",
        heading=escape(title),
        opening=escape(opening),
        rows=rows,
        link=escape(bell.link, quote=True),
        action=escape(action),
        note=escape(note),
        sent=escape(_sent(bell)),
    )


@cache
def _template() -> Template:
    return Template((files("alerting") / "templates" / "mail.html").read_text("utf-8"))


def due_words(due: Due, zone: ZoneInfo) -> str:
    """When a clock is due, as people read it: `Thu 21 May 2026, 24:00 (Asia/Shanghai)`."""
    local = due.at.astimezone(zone)
    # A day ends at 24:00; only a clock of hours, or one that another zone ends earlier, has a time of its own.
    if local.date() == due.on and (local.hour, local.minute) == (23, 59):
        return f"{_day(due.on)}, 24:00 ({zone.key})"
    return f"{_day(local.date())}, {local:%H:%M} ({zone.key})"


def _moment(at: datetime, bell: Bell) -> str:
    """The time alone while it lies within half a day of the sending, else with its day."""
    local = at.astimezone(bell.zone)
    near = abs(at - bell.sent_at) < timedelta(hours=12)
    return f"{local:%H:%M}" if near else f"{_day(local.date())}, {local:%H:%M}"


def _sent(bell: Bell) -> str:
    local, utc = bell.sent_at.astimezone(bell.zone), bell.sent_at.astimezone(UTC)
    there = f"{utc:%H:%M} UTC on {utc.day} {_MONTHS[utc.month - 1]}"
    return f"Sent {_day(local.date())}, {local:%H:%M} ({bell.zone.key}), {there}"


def _day(day: date) -> str:
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"
