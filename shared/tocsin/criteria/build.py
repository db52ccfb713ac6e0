"""Write the tables of terms, bands and facets from the reference files: `python -m tocsin.criteria.build [--check]`.

Reads `$TOCSIN_REFERENCE/ctcae/ctcae_v5_terms.csv` and `ctcae_v6_terms.csv` (default `../shared/reference`),
keeps the four facts that Tocsin uses, checks them as the reader does, and writes them beside this file. The bands are
derived by `build_bands`, the facets by `build_facets` from NCI's workbooks in the same folder.
`--check` writes nothing and says whether the tables are what the reference gives (0) or not (1).
"""

from __future__ import annotations

import csv
import io
import os
import sys
from pathlib import Path

from tocsin.criteria.bands import FILES
from tocsin.criteria.build_bands import carry_v6, derive_v5
from tocsin.criteria.build_facets import derive_facets
from tocsin.criteria.facets import FACET_FILES
from tocsin.criteria.terms import COLUMNS, EDITIONS, CriteriaError, Edition, parse_terms

HERE = Path(__file__).parent


def reference_folder() -> Path:
    """Where the reference files are: `TOCSIN_REFERENCE`, else `../shared/reference`."""
    return Path(os.environ.get("TOCSIN_REFERENCE", "../shared/reference"))


def derive(edition: Edition, reference: Path) -> bytes:
    """The table of one version as it should be. Raises CriteriaError, or OSError where a file is not there."""
    source = reference / "ctcae" / edition.file
    with source.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines, strict=True)
        missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            raise CriteriaError(f"{source}, line 1: lacks the columns {', '.join(missing)}.")
        table = io.StringIO(newline="")
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([row[column] for column in COLUMNS] for row in rows)
    raw = table.getvalue().encode("utf-8")
    parse_terms(raw, file=str(source), version=edition.version)
    return raw


def main(arguments: list[str]) -> int:
    """Write or check every table. 0 done, 1 a table differs or a reference is wrong, 2 wrong use."""
    if arguments not in ([], ["--check"]):
        print("use: python -m tocsin.criteria.build [--check]", file=sys.stderr)
        return 2
    try:
        tables = {edition.file: derive(edition, reference_folder()) for edition in EDITIONS.values()}
        tables[FILES["5.0"]] = derive_v5(reference_folder())
        tables[FILES["6.0"]] = carry_v6(tables[FILES["5.0"]], (HERE / FILES["6.0"]).read_bytes())
        tables |= {name: derive_facets(version, reference_folder()) for version, name in FACET_FILES.items()}
    except (CriteriaError, OSError) as wrong:
        print(wrong, file=sys.stderr)
        return 1
    differing = [name for name, raw in tables.items() if not _holds(HERE / name, raw)]
    if arguments:
        for name in differing:
            print(f"{name} is not what the reference gives; run python -m tocsin.criteria.build")
        return 1 if differing else 0
    for name in differing:
        part = HERE / f"{name}.part"
        part.write_bytes(tables[name])
        part.replace(HERE / name)
        print(f"wrote {name}")
    return 0


def _holds(path: Path, raw: bytes) -> bool:
    return path.exists() and path.read_bytes() == raw


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
