"""What a laboratory value was taken from. Urine, cerebrospinal fluid and the like must never be graded as blood.

Words are searched for what names a fluid; where they name several, the value is of none that is known here. Silence is
taken for blood. Which fluids count as which specimen is in `analytes`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

URINE: Final = "URINE"

# 尿 begins the names of urea (尿素) and urate (尿酸) too, which are measured in blood; 尿酸碱度 is the pH of urine.
_URINE: Final = re.compile(r"\bURIN|尿(?!素|酸(?!碱))", re.IGNORECASE)
_OTHER: Final = re.compile(
    r"\bCSF\b|CEREBROSPINAL|\bSTOOL|\bFA?EC(?:AL|ES)|\bPLEURAL|\bPERITONEAL|\bASCIT|\bSYNOVIAL|\bAMNIOTIC|\bDIALYSATE"
    r"|\bSALIVA\b|\bSPUTUM|\bSWEAT|\bSEM(?:EN|INAL)|\bBONE MARROW"
    r"|脑脊液|粪|大便|胸水|胸腔积液|腹水|腹腔积液|关节液|羊水|唾液|痰|骨髓",
    re.IGNORECASE,
)
_BLOOD: Final = re.compile(r"BLOOD|SERUM|PLASMA|HA?EMATO|血", re.IGNORECASE)


def told(words: str | None) -> str | None:
    """The specimen in words that name nothing else, as the table of analytes is to be asked; None where none are."""
    said = plain(words or "").strip()
    return fluid(said, said) or said or None


def fluid(where: str, whole: str) -> str | None:
    """Urine, or all that was said where it names another fluid or several; None where it names none but blood.

    `where` is what names the place of measuring, `whole` that and all else that was said.
    """
    is_urine, is_other = _URINE.search(whole), _OTHER.search(whole)
    if not is_urine and not is_other:
        return None
    return URINE if is_urine and not is_other and not _BLOOD.search(where) else whole


def plain(said: str) -> str:
    """Full-width letters as plain ones."""
    return unicodedata.normalize("NFKC", said)
