"""What a row of a laboratory file was taken from, as the table of analytes is to be asked.

What names the specimen itself counts where it is there (LBSPEC, `specimen`). Without it a row's category, its
subcategory and the name of its test are searched for words that name a fluid (`tocsin.criteria.specimens`).
"""

from __future__ import annotations

from meddra_coder.lab_rows import CAT, SCAT, SPEC, TEST, Cells
from tocsin.criteria.specimens import fluid, plain, told


def specimen(cells: Cells) -> str | None:
    """The specimen of a row as the table of analytes is to be asked; None where nothing names one.

    Where several are named the answer is all that was said, which is no specimen of the table.
    """
    if cells[SPEC]:
        return told(cells[SPEC])
    where = plain(f"{cells[CAT]}; {cells[SCAT]}")
    return fluid(where, f"{where}; {plain(cells[TEST])}")
