"""Who holds which partition of the embedded log: members of a group, their leases, and how they share.

Every function works inside the caller's transaction. A member lives while it was seen within its lease, and while its
process exists where that can be known. Real time only: a lease has nothing to do with the time of a case.
"""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tocsin.bus.logfile import seconds


def settle(
    db: sqlite3.Connection, group: str, member: str, topics: Sequence[str], lease_s: float
) -> tuple[set[int], int, bool]:
    """Join or stay in the group, bury the dead, let go of what is another's share, take what is free.

    Answers the partitions held now, the group's generation, and whether anything changed (others should look).
    """
    changed = _show_up(db, group, member, topics, lease_s)
    changed |= _bury_the_dead(db, group, member)
    wanted = _share(db, group, member, topics)
    held = {
        row[0]
        for row in db.execute("SELECT partition_id FROM lease WHERE group_name = ? AND member_id = ?", (group, member))
    }
    for partition in held - wanted:
        db.execute("DELETE FROM lease WHERE group_name = ? AND partition_id = ?", (group, partition))
        changed = True
    for partition in wanted - held:
        taken = db.execute("INSERT OR IGNORE INTO lease VALUES (?, ?, ?)", (group, partition, member))
        changed |= taken.rowcount > 0
    if changed:
        db.execute("UPDATE reader_group SET generation = generation + 1 WHERE name = ?", (group,))
    held_now = {
        row[0]
        for row in db.execute("SELECT partition_id FROM lease WHERE group_name = ? AND member_id = ?", (group, member))
    }
    return held_now, generation(db, group), changed


def generation(db: sqlite3.Connection, group: str) -> int:
    """How often the group has changed; 0 when nobody ever joined."""
    row = db.execute("SELECT generation FROM reader_group WHERE name = ?", (group,)).fetchone()
    return int(row[0]) if row else 0


def renew(db: sqlite3.Connection, members: Sequence[str]) -> None:
    """These members are alive. One that was buried meanwhile stays buried until it joins again."""
    now = seconds()
    db.executemany("UPDATE member SET seen_at = ? WHERE id = ?", [(now, member) for member in members])


def leave(db: sqlite3.Connection, group: str, member: str) -> None:
    """Give everything back at once."""
    db.execute("DELETE FROM member WHERE id = ?", (member,))
    db.execute("UPDATE reader_group SET generation = generation + 1 WHERE name = ?", (group,))


def _show_up(db: sqlite3.Connection, group: str, member: str, topics: Sequence[str], lease_s: float) -> bool:
    db.execute("INSERT OR IGNORE INTO reader_group VALUES (?, 0)", (group,))
    seen = db.execute("UPDATE member SET seen_at = ? WHERE id = ?", (seconds(), member))
    if seen.rowcount:
        return False
    db.execute(
        "INSERT INTO member (id, group_name, topics, process, seen_at, lease_s) VALUES (?, ?, ?, ?, ?, ?)",
        (member, group, json.dumps(sorted(topics)), this_process(), seconds(), lease_s),
    )
    return True


def _bury_the_dead(db: sqlite3.Connection, group: str, me: str) -> bool:
    now = seconds()
    buried = False
    rows = db.execute(
        "SELECT id, process, seen_at, lease_s FROM member WHERE group_name = ? AND id <> ?", (group, me)
    ).fetchall()
    for member, process, seen_at, lease_s in rows:
        # Seen in the future means that the machine's clock was set back: such a lease would last for hours.
        if abs(now - seen_at) < lease_s and not _is_gone(process):
            continue
        db.execute("DELETE FROM member WHERE id = ?", (member,))
        buried = True
    return buried


def _share(db: sqlite3.Connection, group: str, me: str, topics: Sequence[str]) -> set[int]:
    """The partitions that are mine when every living member gets an even share of each topic it reads."""
    members = [
        (member, set(json.loads(reads)))
        for member, reads in db.execute("SELECT id, topics FROM member WHERE group_name = ? ORDER BY id", (group,))
    ]
    mine = set()
    for topic in topics:
        readers = [member for member, reads in members if topic in reads]
        # Topics of one partition must not all fall to the first member.
        first = zlib.crc32(topic.encode())
        for partition, number in db.execute("SELECT id, number FROM partition WHERE topic = ?", (topic,)):
            if readers[(first + number) % len(readers)] == me:
                mine.add(partition)
    return mine


@cache
def _machine() -> str:
    """This boot of this machine and this process namespace, "" where that cannot be read (not Linux)."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def this_process() -> str:
    """A name for this process that no other one will ever have, "" where none can be made."""
    return _process_name(os.getpid())


def _process_name(pid: int) -> str:
    machine = _machine()
    try:
        # The twenty-second field is the start time; the second, in brackets, may hold blanks.
        started = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
    return f"{machine} {pid} {started}" if machine else ""


def _is_gone(process: str) -> bool:
    """Whether it is certain that the process has ended. After a kill nobody has to wait for the lease then."""
    if not process or process.split(" ")[0] != _machine():
        return False
    return _process_name(int(process.split(" ")[1])) != process
