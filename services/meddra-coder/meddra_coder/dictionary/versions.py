"""The licensed dictionaries of this house: loading a version, comparing two, and which one a study uses.

Loading changes nothing for any study. A study moves to a version by a decision with a reason, and its codings move
with it one by one; every code that was ever given stays.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, insert, select

from meddra_coder import tables
from meddra_coder.dictionary.meddra import image_of
from meddra_coder.dictionary.meddra_files import Distribution, read_distribution
from tocsin.errors import Refused, Wrong
from tocsin.store import audit

Tell = Callable[[int, int | None], None]
_LONGEST_VERSION: Final = 20


def read(folder: Path, version: str, tell: Tell = lambda done, of: None) -> tuple[Distribution, bytes]:
    """A distribution that was read and checked whole, and its image. Raises DistributionRefused, with file and line."""
    if not version.strip() or len(version) > _LONGEST_VERSION or not version.replace(".", "").isalnum():
        raise Refused(
            "not the name of a version", [Wrong("/version", f"{version!r}", 'letters, digits and points, like "28.1"')]
        )
    distribution = read_distribution(folder, tell)
    return distribution, image_of(distribution, version, tell)


def keep(
    tx: Connection, distribution: Distribution, image: bytes, version: str, *, at: datetime, who: str = "command line"
) -> bool:
    """Keep a version beside the others. False when the very same is kept already. Another under its name is refused."""
    kept = tables.dictionaries
    before = tx.execute(select(kept.c.fingerprint, kept.c.loaded_at).where(kept.c.version == version)).one_or_none()
    if before is not None:
        if before.fingerprint == distribution.fingerprint:
            return False
        raise Refused(
            f"MedDRA {version} is loaded already, from other files",
            [Wrong("/version", f"loaded on {before.loaded_at:%Y-%m-%d}; codings may rest on it", "another version")],
        )
    current = sum(llt.is_current for llt in distribution.llts)
    tx.execute(
        insert(kept).values(
            version=version,
            fingerprint=distribution.fingerprint,
            encoding=distribution.encoding,
            terms=len(distribution.llts),
            current_terms=current,
            loaded_at=at,
            loaded_by=who,
            image=image,
        )
    )
    audit.append(
        tx,
        at=at,
        who=who,
        did="dictionary loaded",
        about=f"MedDRA {version}",
        after={"terms": len(distribution.llts), "current": current, "fingerprint": distribution.fingerprint},
    )
    return True
