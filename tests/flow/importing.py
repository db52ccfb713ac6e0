"""An import run as a person runs it, with data made here: some serious, some deadly, some not to be coded."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.shapes import Shape

COLUMNS = (
    *("STUDYID", "DOMAIN", "USUBJID", "AESEQ", "AETERM", "AESEV", "AESER", "AEREL", "AEOUT"),
    *("AESDTH", "AESHOSP", "AESLIFE", "AESTDTC", "AEENDTC"),
)
VERBATIMS = ("FEVER", "NAUSEA", "APPLICATION SITE REDNESS", "FELL IN THE GARDEN", "SYNCOPE", "DIARRHOEA")


def write_ae(file: Path, rows: int) -> Path:
    """An AE data set of the pilot study: every tenth row a hospital stay, every fiftieth a death."""
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        for n in range(1, rows + 1):
            dead, hospital = n % 50 == 0, n % 10 == 0
            writer.writerow(
                {
                    "STUDYID": "CDISCPILOT01",
                    "DOMAIN": "AE",
                    "USUBJID": f"01-{701 + n % 5}-{1000 + n % 40}",
                    "AESEQ": n,
                    "AETERM": VERBATIMS[n % len(VERBATIMS)],
                    "AESEV": "SEVERE" if dead else "MILD",
                    "AESER": "Y" if dead or hospital else "N",
                    "AEREL": "POSSIBLE",
                    "AEOUT": "FATAL" if dead else "RECOVERED/RESOLVED",
                    "AESDTH": "Y" if dead else "N",
                    "AESHOSP": "Y" if hospital else "N",
                    "AESLIFE": "N",
                    "AESTDTC": f"2013-{1 + n % 12:02d}-{1 + n % 28:02d}",
                    "AEENDTC": "",
                }
            )
    return file


def begin_import(shape: Shape, file: Path, key: str) -> subprocess.Popen[str]:
    """`tocsin import`, under way."""
    return subprocess.Popen(
        [sys.executable, "-m", "standalone", "import", str(file), "--url", shape.intake, "--key", key, "--json"],
        env={**os.environ, **shape.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=shape.folder,
    )


def end_import(running: subprocess.Popen[str], within_s: float = 240) -> dict[str, Any]:
    """Its summary; exit code 0 or 1 (contradictions named)."""
    out, err = running.communicate(timeout=within_s)
    assert running.returncode in (0, 1), f"tocsin import: {running.returncode}\n{out}\n{err}"
    summary: dict[str, Any] = json.loads(out)
    return summary
