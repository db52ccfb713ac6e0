"""Licensed dictionaries side by side: kept whole, used by decision, and coded with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import insert, select

from meddra_coder import tables
from meddra_coder.coder import Coder
from meddra_coder.coders import Coders
from meddra_coder.coding import code_event, code_events
from meddra_coder.dictionary.meddra import Image, image_of
from meddra_coder.dictionary.meddra_files import DistributionRefused
from meddra_coder.dictionary.terms import DictionaryError
from meddra_coder.dictionary.versions import keep, read
from tests.support.invented_meddra import write_distribution
from tocsin.errors import Refused
from tocsin.store.engine import Store

AT = datetime(2026, 9, 1, 8, tzinfo=UTC)
STUDY = "NCT06223646"

Written = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """An invented distribution that holds some real CTCAE codes."""

    def write(name: str = "asc", seed: int = 1) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        write_distribution(
            folder,
            llts=400,
            pts=120,
            seed=seed,
            extra=[
                ("10002272", "Anemia", None, True),
                ("10016558", "Fever", None, True),
                ("10099001", "Anemia of the old kind", "10002272", False),
                ("10099002", "Anaemia, low", "10002272", True),
            ],
        )
        return folder

    return write


def test_a_version_is_kept_whole_and_the_same_again_changes_nothing(store: Store, written: Written) -> None:
    distribution, image = read(written(), "99.0")
    with store.transaction() as tx:
        assert keep(tx, distribution, image, "99.0", at=AT)
    with store.transaction() as tx:
        assert not keep(tx, distribution, image, "99.0", at=AT)
        row = tx.execute(select(tables.dictionaries)).one()
    assert (row.version, row.terms, row.encoding, bytes(row.image)) == ("99.0", 404, distribution.encoding, image)


def test_the_image_of_a_distribution_is_the_same_bytes_each_time(written: Written) -> None:
    distribution, image = read(written(), "99.0")
    assert image_of(distribution, "99.0") == image


def test_other_files_under_the_name_of_a_version_are_refused_and_another_version_stands_beside(
    store: Store, written: Written
) -> None:
    first, second = read(written("a", 1), "99.0"), read(written("b", 2), "99.0")
    with store.transaction() as tx:
        keep(tx, *first, "99.0", at=AT)
        with pytest.raises(Refused, match=r"MedDRA 99\.0 is loaded already, from other files"):
            keep(tx, *second, "99.0", at=AT)
        assert keep(tx, *second, "99.1", at=AT)
        assert tx.scalars(select(tables.dictionaries.c.version)).all() == ["99.0", "99.1"]


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_a_damaged_distribution_leaves_the_version_in_use_as_it_was(store: Store, written: Written) -> None:
    with store.transaction() as tx:
        keep(tx, *read(written("good"), "99.0"), "99.0", at=AT)
    damaged = written("damaged", 2)
    lines = (damaged / "llt.asc").read_bytes().split(b"\r\n")
    lines[11] = lines[11].replace(b"$", b"", 1)
    (damaged / "llt.asc").write_bytes(b"\r\n".join(lines))
    with pytest.raises(DistributionRefused, match=r"llt\.asc, line 12: 10 columns; allowed is 11"):
        read(damaged, "99.1")
    with store.reading() as connection:
        assert connection.scalars(select(tables.dictionaries.c.version)).all() == ["99.0"]


@pytest.mark.parametrize("version", ["", "../28", "v" * 21, "28 1"])
def test_a_version_has_a_plain_name(written: Written, version: str) -> None:
    with pytest.raises(Refused, match="not the name of a version"):
        read(written(), version)


def test_a_study_is_coded_with_the_version_it_was_moved_to_and_no_other_study_is(
    store: Store, written: Written
) -> None:
    coders = Coders()
    with store.transaction() as tx:
        keep(tx, *read(written(), "99.0"), "99.0", at=AT)
        assert coders.of(tx, STUDY).version == "CTCAE v5.0 (MedDRA 20.1 codes)"
        tx.execute(
            insert(tables.dictionary_uses).values(
                decision_id=uuid4(), study=STUDY, version="99.0", by="coder1", at=AT, reason="the sponsor's version"
            )
        )
        assert coders.of(tx, STUDY).version == "MedDRA 99.0"
        assert coders.of(tx, "ANOTHER").version == "CTCAE v5.0 (MedDRA 20.1 codes)"


def test_a_version_that_is_not_loaded_here_is_told_with_what_to_do(store: Store) -> None:
    with store.reading() as connection, pytest.raises(DictionaryError, match=r"tocsin meddra load DIR --version 88\.0"):
        Coders().version(connection, "88.0")


def test_a_licensed_term_has_its_path_and_the_shipped_synonyms_lead_to_it(written: Written) -> None:
    coder = Coder(Image(read(written(), "99.0")[1]).dictionary())
    answer = code_event("Anaemia grade 3", coder)
    assert (answer.status, answer.llt_code, answer.dictionary_version) == ("coded", "10002272", "MedDRA 99.0")
    assert [level.split()[0] for level in answer.path] == ["LLT", "PT", "HLT", "HLGT", "SOC"]
    assert answer.path[:2] == ("LLT 10002272 Anemia", "PT 10002272 Anemia")
    assert code_event("发热", coder).llt_code == "10016558"  # by a phrase of the lexicon for that code
    assert code_event("low platelets", coder).status == "needs_review"  # the version has no such term


def test_a_term_that_is_not_current_any_more_is_held_and_not_proposed(written: Written) -> None:
    coder = Coder(Image(read(written(), "99.0")[1]).dictionary())
    answer = code_event("Anemia of the old kind", coder)
    assert (answer.status, answer.llt_code) == ("needs_review", None)
    assert answer.reasons[0].startswith('"Anemia of the old kind" is no longer current')
    assert "10099001" not in {candidate.code for candidate in answer.candidates}
    assert "10002272" in {candidate.code for candidate in answer.candidates}


def test_every_current_name_is_coded_as_itself_or_held_for_a_reason_that_is_told(written: Written) -> None:
    dictionary = Image(read(written(), "99.0")[1]).dictionary()
    current = [term for term in dictionary.terms if term.is_current]
    answers = code_events([term.name for term in current], Coder(dictionary))
    for term, answer in zip(current, answers, strict=True):
        assert answer.llt_code in (term.code, None), term
        if answer.llt_code is None:
            assert any("procedure" in reason or "outcome" in reason for reason in answer.reasons), (
                term,
                answer.reasons,
            )
