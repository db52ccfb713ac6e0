"""What is CRS, ICANS, IEC-HS or another event of special interest, by code or by the site's words."""

from __future__ import annotations

import pytest

from tests.domain.cases import coded, event
from tocsin.domain.syndromes import Syndrome, counting_grade, of_special_interest, recognise, special_interest
from tocsin.domain.words import CrsScale

S = Syndrome


@pytest.mark.parametrize(
    ("verbatim", "syndrome"),
    [
        ("CRS", S.CRS),
        ("crs gr 2", S.CRS),
        ("Cytokine release syndrome", S.CRS),
        ("cytokine-release syndrome", S.CRS),
        ("cytokine storm", S.CRS),
        ("出现CRS", S.CRS),
        ("CRS3级", S.CRS),
        ("细胞因子释放综合征", S.CRS),
        ("细胞因子风暴", S.CRS),
        ("ICANS", S.ICANS),
        ("immune effector cell-associated neurotoxicity syndrome", S.ICANS),
        ("neurotoxicity", S.ICANS),
        ("CAR-T related encephalopathy", S.ICANS),
        ("免疫效应细胞相关神经毒性综合征", S.ICANS),
        ("考虑ICANS", S.ICANS),
        ("ICANS2级", S.ICANS),
        ("IEC-HS", S.IEC_HS),
        ("HLH-like syndrome", S.IEC_HS),
        ("MAS", S.IEC_HS),
        ("hemophagocytic lymphohistiocytosis", S.IEC_HS),
        ("haemophagocytosis in marrow", S.IEC_HS),
        ("macrophage activation syndrome", S.IEC_HS),
        ("噬血细胞综合征", S.IEC_HS),
        ("parkinsonism", S.PARKINSONISM),
        ("Parkinson-like tremor", S.PARKINSONISM),
        ("movement and neurocognitive treatment-emergent event", S.PARKINSONISM),
        ("movement disorder", S.PARKINSONISM),
        ("帕金森样症状", S.PARKINSONISM),
        ("second primary malignancy", S.SECOND_MALIGNANCY),
        ("secondary leukaemia", S.SECOND_MALIGNANCY),
        ("second cancer", S.SECOND_MALIGNANCY),
        ("CAR+ T-cell lymphoma", S.SECOND_MALIGNANCY),
        ("myelodysplastic syndrome", S.SECOND_MALIGNANCY),
        ("第二原发肿瘤", S.SECOND_MALIGNANCY),
        ("继发性恶性肿瘤", S.SECOND_MALIGNANCY),
        ("T细胞淋巴瘤", S.SECOND_MALIGNANCY),
        ("hepatitis B virus reactivation", S.HBV_REACTIVATION),
        ("reactivation of hepatitis B", S.HBV_REACTIVATION),
        ("乙肝再激活", S.HBV_REACTIVATION),
        ("乙型肝炎病毒再激活", S.HBV_REACTIVATION),
        ("replication competent lentivirus positive", S.REPLICATION_COMPETENT_LENTIVIRUS),
        ("RCL positive", S.REPLICATION_COMPETENT_LENTIVIRUS),
        ("复制型慢病毒阳性", S.REPLICATION_COMPETENT_LENTIVIRUS),
    ],
)
@pytest.mark.rule("rules.md 2.1: AESI; readings.md DLT 5")
def test_a_syndrome_is_recognised_by_the_sites_words(verbatim: str, syndrome: Syndrome) -> None:
    assert recognise(event(verbatim), None) == {syndrome}


@pytest.mark.parametrize(
    "verbatim",
    [
        "fever, no evidence of CRS",
        "CRS ruled out",
        "peripheral neurotoxicity",
        "周围神经毒性",
        "Wolff-Parkinson-White syndrome",
        "bowel movement disorder",
        "secondary infection",
        "second degree AV block",
        "partial seizures with secondary generalisation",
        "prostate cancer screening",
        "RCL sprain of the elbow",
        "body mass increased",
        "me duele mas la cabeza",
        "hepatitis B vaccination",
        "T cell count decreased",
    ],
)
def test_no_syndrome_is_read_into_words_that_name_none(verbatim: str) -> None:
    assert recognise(event(verbatim), None) == frozenset()


@pytest.mark.parametrize(
    ("term", "code", "syndrome"),
    [
        ("Cytokine release syndrome", None, S.CRS),
        ("Extrapyramidal disorder", None, S.PARKINSONISM),
        ("Treatment related secondary malignancy", None, S.SECOND_MALIGNANCY),
        ("Leukemia secondary to oncology chemotherapy", None, S.SECOND_MALIGNANCY),
        ("Myelodysplastic syndrome", None, S.SECOND_MALIGNANCY),
        ("Hepatitis B reactivation", None, S.HBV_REACTIVATION),
        ("a term of version 6", "10083347", S.ICANS),
        ("a term of version 6", "10081409", S.IEC_HS),
    ],
)
def test_a_syndrome_is_recognised_by_its_code_whatever_the_site_wrote(
    term: str, code: str | None, syndrome: Syndrome
) -> None:
    assert recognise(event("症状"), coded(term, code=code)) == {syndrome}


@pytest.mark.parametrize(
    ("verbatim", "grade", "is_special", "is_provisional"),
    [
        ("CRS", 1, False, False),
        ("CRS", 2, False, False),
        ("CRS", 3, True, False),
        ("CRS", 4, True, False),
        ("CRS", None, True, True),
        ("ICANS", 2, False, False),
        ("ICANS", 3, True, False),
        ("ICANS", None, True, True),
        ("IEC-HS", 1, True, False),
        ("IEC-HS", None, True, False),
        ("parkinsonism", None, True, False),
        ("CRS and IEC-HS", None, True, False),
        ("rash", 4, False, False),
    ],
)
@pytest.mark.rule("rules.md 2.1: AESI")
def test_crs_and_icans_count_from_grade_3_and_without_a_grade_the_rest_always(
    verbatim: str, grade: int | None, is_special: bool, is_provisional: bool
) -> None:
    found = special_interest(event(verbatim, grade=grade), None)
    assert (found.value, found.is_provisional) == (is_special, is_provisional)
    assert bool(of_special_interest(event(verbatim, grade=grade), None)) is is_special


def test_the_worse_of_two_scales_decides_and_both_are_told() -> None:
    found = special_interest(event("CRS", grade=2, astct=3), None)
    assert found.reasons == ("CRS grade 3 (CTCAE 2, ASTCT 3): an event of special interest from grade 3",)


@pytest.mark.parametrize(
    ("verbatim", "crs", "ctcae", "astct", "counts"),
    [
        ("CRS", CrsScale.WORST_OF, 3, 2, 3),
        ("CRS", CrsScale.CTCAE, 3, 2, 3),
        ("CRS", CrsScale.CTCAE, 2, 3, 2),
        ("CRS", CrsScale.ASTCT, 3, 2, 2),
        ("CRS", CrsScale.ASTCT, 2, 3, 3),
        # What the study's scale does not say is not low: the other scale counts.
        ("CRS", CrsScale.ASTCT, 4, None, 4),
        ("CRS", CrsScale.CTCAE, None, 3, 3),
        ("CRS", CrsScale.ASTCT, None, None, None),
        # The choice is of CRS: any other event counts by its worst.
        ("ICANS", CrsScale.CTCAE, 2, 3, 3),
        ("rash", CrsScale.ASTCT, 4, 2, 4),
    ],
)
@pytest.mark.rule("rules.md 4.2: scale of CRS")
def test_a_crs_counts_by_the_scale_of_the_study(
    verbatim: str, crs: CrsScale, ctcae: int | None, astct: int | None, counts: int | None
) -> None:
    assert counting_grade(event(verbatim, grade=ctcae, astct=astct), None, crs) == counts


def test_a_crs_is_of_special_interest_by_the_scale_of_the_study() -> None:
    told = event("CRS", grade=3, astct=2)
    assert special_interest(told, None, crs=CrsScale.WORST_OF)
    assert special_interest(told, None, crs=CrsScale.CTCAE)
    assert not special_interest(told, None, crs=CrsScale.ASTCT)


def test_a_study_without_car_t_cells_has_none_of_them() -> None:
    assert not special_interest(event("Parkinson's disease"), None, frozenset())
    assert of_special_interest(event("Parkinson's disease"), None, frozenset({S.CRS})) == ()
