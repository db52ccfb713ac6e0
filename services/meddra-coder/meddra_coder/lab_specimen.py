"""What a laboratory value was taken from. Urine, cerebrospinal fluid and the like must never be graded as blood.

What names the specimen itself counts where it is there (LBSPEC, `specimen`). Without it a row's category, its
subcategory and the name of its test are searched for words that name a fluid; where they name several, the row is of
none that is known here. Silence is taken for blood.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from meddra_coder.lab_rows import CAT, SCAT, SPEC, TEST, Cells

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


def specimen(cells: Cells) -> str | None:
    """The specimen of a row as the table of analytes is to be asked; None where nothing names one.

    Where several are named the answer is all that was said, which is no specimen of the table.
    """
    if cells[SPEC]:
        return told(cells[SPEC])
    where = _plain(f"{cells[CAT]}; {cells[SCAT]}")
    return _fluid(where, f"{where}; {_plain(cells[TEST])}")


def told(words: str | None) -> str | None:
    """The specimen in words that name nothing else, as the table of analytes is to be asked; None where none are."""
    said = _plain(words or "").strip()
    return _fluid(said, said) or said or None


def _fluid(where: str, whole: str) -> str | None:
    """Urine, or all that was said where it names another fluid or several; None where it names none but blood."""
    is_urine, is_other = _URINE.search(whole), _OTHER.search(whole)
    if not is_urine and not is_other:
        return None
    return URINE if is_urine and not is_other and not _BLOOD.search(where) else whole


def _plain(said: str) -> str:
    return unicodedata.normalize("NFKC", said)
