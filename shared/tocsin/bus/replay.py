"""Put dead letters back on the topic they came from, once the reason is mended (`tocsin replay TOPIC.dead`)."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace

from tocsin.bus.dead import read_dead
from tocsin.bus.port import Bus
from tocsin.errors import BusAway

_BATCH = 100


def replay(bus: Bus, dead: str, *, group: str = "tocsin.replay", patience_s: float = 30.0) -> int:
    """Republish every dead letter of topic `dead` that this group has not put back yet; answers how many.

    The original bytes, key and headers go out, plus `replayed_from` (topic/partition/offset of the dead letter). The
    dead letters stay where they are, and the group's commit remembers them: a second run puts nothing back twice.
    A crash between publishing and committing does, and the inbox of every consumer knows the message by its id.
    Raises BusAway when dead letters are left but none arrives for `patience_s` seconds (another replay holds them),
    ValueError when the topic holds something that is no dead letter: nothing from there on is put back.
    """
    count = 0
    with closing(bus.reader(group, [dead])) as reader:
        deadline = time.monotonic() + patience_s
        while True:
            letters = reader.read(_BATCH, 0.5)
            if letters:
                originals = [
                    (read_dead(letter).original, f"{letter.topic}/{letter.partition}/{letter.offset}")
                    for letter in letters
                ]
                bus.publish(
                    [replace(record, headers={**record.headers, "replayed_from": place}) for record, place in originals]
                )
                reader.commit(letters)
                count += len(letters)
                deadline = time.monotonic() + patience_s
            elif reader.lag() == 0:
                return count
            elif time.monotonic() > deadline:
                raise BusAway(f"{dead} still holds dead letters, but none arrived within {patience_s:g} s")
