"""Mail for a house without a mail server: whole mails as files in a folder, shown at /mailbox.

Each file is a mail as RFC 5322 writes it (.eml), there whole or not at all. Nobody is rung by a file: start-up says
so aloud, and `degraded` repeats it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from uuid import UUID

from alerting.delivery.letter import letter
from alerting.delivery.outcome import Delivered, Outcome, TryAgain
from alerting.delivery.parcel import Parcel


@dataclass(frozen=True, slots=True)
class Kept:
    """One mail in the folder."""

    name: str
    sent_at: datetime
    to: str
    subject: str
    message_id: str
    text: str


class Mailbox:
    """A deliverer into a folder, which is made if it is missing."""

    def __init__(self, folder: Path, sender: str, *, is_rehearsal: bool = False) -> None:
        self._folder = folder
        self._sender = sender
        self._is_rehearsal = is_rehearsal

    def send(self, parcel: Parcel) -> Outcome:
        """Write one mail. A second try of the same notice to the same address replaces the first."""
        mail = letter(
            parcel.bell,
            notice_id=str(parcel.notice_id),
            sender=self._sender,
            to=parcel.address,
            is_rehearsal=self._is_rehearsal,
        )
        path = self._folder / _name(parcel.bell.sent_at, parcel.delivery_id)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_whole(path, mail.as_bytes())
        except OSError as error:
            return TryAgain(f"the mailbox folder cannot be written to: {error.strerror}")
        return Delivered("kept in the mailbox folder; no mail server is set")

    def rest(self) -> None:
        """Nothing is held open."""


def read(folder: Path, most: int = 200) -> list[Kept]:
    """The mails of a folder, newest first. A folder that is not there holds none."""
    if not folder.is_dir():
        return []
    names = sorted((p.name for p in folder.iterdir() if p.suffix == ".eml"), reverse=True)[:most]
    return [_read(folder / name) for name in names]


def _read(path: Path) -> Kept:
    mail = message_from_bytes(path.read_bytes(), policy=default)
    body = mail.get_body(preferencelist=("plain",))
    return Kept(
        name=path.name,
        sent_at=mail["Date"].datetime,
        to=str(mail["To"]),
        subject=str(mail["Subject"]).strip(),  # a long one is folded, and begins on a line of its own
        message_id=str(mail["Message-ID"]),
        text=body.get_content() if body is not None else "",
    )


def _name(at: datetime, delivery_id: UUID) -> str:
    return f"{at:%Y%m%dT%H%M%S.%fZ}-{delivery_id}.eml"


def _write_whole(path: Path, content: bytes) -> None:
    """To a file beside it, to the disk, then under its name: a reader never sees half a mail."""
    beside = path.with_suffix(".part")
    with open(os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
