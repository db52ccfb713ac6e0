"""AE data sets are read from SAS transport, CSV and Dataset-JSON, and what is none is refused in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from standalone.ae_files import FileWrong, read_ae
from standalone.ae_rows import map_rows

ROW = {"STUDYID": "S", "USUBJID": "S-1", "AESEQ": "1", "AETERM": "Rash, itching", "AESTDTC": "2026-03"}


def test_a_csv_file_is_read_with_its_mark_and_spaces(tmp_path: Path) -> None:
    file = tmp_path / "ae.csv"
    file.write_text(
        '\ufeffstudyid,USUBJID,AESEQ,AETERM,AESTDTC\nS,S-1 ,1.0,"Rash, itching",2026-03\n', encoding="utf-8"
    )
    assert read_ae(file) == [ROW]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "ae.json",
            json.dumps(
                {
                    "datasetJSONVersion": "1.1.0",
                    "name": "AE",
                    "columns": [{"name": name} for name in ROW],
                    "rows": [["S", "S-1", 1, "Rash, itching", "2026-03"]],
                }
            ),
        ),
        (
            "ae.json",
            json.dumps(
                {
                    "clinicalData": {
                        "itemGroupData": {
                            "IG.AE": {
                                "name": "AE",
                                "items": [{"name": name} for name in ROW],
                                "itemData": [["S", "S-1", 1.0, "Rash, itching", "2026-03"]],
                            }
                        }
                    }
                }
            ),
        ),
        (
            "ae.ndjson",
            json.dumps({"columns": [{"name": name} for name in ROW]})
            + '\n["S", "S-1", 1, "Rash, itching", "2026-03"]\n',
        ),
    ],
    ids=["Dataset-JSON 1.1", "Dataset-JSON 1.0", "NDJSON"],
)
def test_dataset_json_is_read(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    assert read_ae(file) == [ROW]


def test_a_words_own_number_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "ae.csv"
    file.write_text("STUDYID,USUBJID,AESEQ,AETERM\nS,S-1,12.0,2.0\n", encoding="utf-8")
    assert read_ae(file) == [{"STUDYID": "S", "USUBJID": "S-1", "AESEQ": "12", "AETERM": "2.0"}]


@pytest.mark.reference
def test_a_transport_file_and_its_csv_copy_are_the_same_reports(reference: Path) -> None:
    mapped = map_rows(read_ae(reference / "pilot" / "ae.xpt"), {})
    assert mapped == map_rows(read_ae(reference / "pilot" / "cdiscpilot_ae.csv"), {})


@pytest.mark.reference
def test_the_pilots_known_trap_is_found(reference: Path) -> None:
    """Three rows say AESER=Y, 39 carry a criterion (the three among them): 36 contradict themselves."""
    mapped = map_rows(read_ae(reference / "pilot" / "ae.xpt"), {})
    assert len(mapped) == 1191
    assert len({one.idempotency_key for one in mapped}) == 1191
    assert sum(one.is_serious for one in mapped) == 39
    assert sum(len(one.contradictions) for one in mapped) == 36
    assert [one.findings for one in mapped if one.findings] == []


@pytest.mark.parametrize(
    ("name", "content", "said", "exit_code"),
    [
        ("ae.sas7bdat", b"", "files of this kind are not known; allowed is .xpt", 2),
        ("ae.csv", b"", "is empty", 1),
        ("ae.csv", b"STUDYID,AETERM\n", "it has no USUBJID, AESEQ", 1),
        ("ae.csv", b"STUDYID,USUBJID,AESEQ,AETERM\nS,S-1,1\n", "row 1 has 3 values where there are 4 variables", 1),
        ("ae.csv", b"STUDYID,USUBJID,AESEQ,AETERM\nS,S-1,1,\xff\n", "is not text in UTF-8", 1),
        ("ae.json", b"{", "cannot be read as JSON", 1),
        ("ae.json", b'{"rows": []}', "no Dataset-JSON", 1),
        ("ae.json", b"[]", "no Dataset-JSON", 1),
        ("ae.xpt", b"not a transport file", "cannot be read as a SAS transport file", 1),
    ],
)
def test_what_is_no_data_set_is_refused_in_words(
    tmp_path: Path, name: str, content: bytes, said: str, exit_code: int
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(FileWrong, match=said.replace(".", r"\.")) as refused:
        read_ae(file)
    assert refused.value.exit_code == exit_code


def test_a_file_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(FileWrong, match="no such file") as refused:
        read_ae(tmp_path / "ae.xpt")
    assert refused.value.exit_code == 2
