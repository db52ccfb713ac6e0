"""The table of analytes: what a name, a code and a specimen mean, and that a wrong table is refused."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tocsin.criteria import CriteriaError, find_analyte
from tocsin.criteria.analytes import load_analytes, parse_analytes

HEADER = "id,name,unit,units,tests,names,loinc,specimen,judged_as,why\n"


@pytest.mark.parametrize(
    ("test", "loinc", "specimen", "found"),
    [
        ("NEUT", None, None, "neutrophils"),
        ("anc", None, None, "neutrophils"),
        ("Absolute Neutrophil Count", None, None, "neutrophils"),
        ("中性粒细胞", None, None, "neutrophils"),
        ("Haemoglobin", None, None, "haemoglobin"),
        ("Hemoglobin", None, "BLOOD", "haemoglobin"),
        ("PLATELET", None, None, "platelets"),
        ("POTAS", None, None, "potassium"),
        ("CAION", None, None, "calcium_ionized"),
        ("CA", None, None, "calcium_total"),
        ("CACR", None, None, "calcium_corrected"),
        (None, "751-8", None, "neutrophils"),
        ("what the lab calls it", "751-8", None, "neutrophils"),
        ("ALT", "1742-6", "SERUM", "alt"),
        # a code and a name that contradict each other
        ("AST", "1742-6", None, None),
        # a name that the specimen settles
        ("GLUC", None, None, "glucose"),
        ("GLUC", None, "SERUM", "glucose"),
        ("GLUC", None, "URINE", "glucose_urine"),
        ("CREAT", None, "urine", "creatinine_urine"),
        ("PH", None, None, None),
        ("PH", None, "URINE", "urine_ph"),
        ("PH", None, "ARTERIAL BLOOD", "arterial_ph"),
        ("PH", None, "VENOUS BLOOD", None),
        ("GLUC", None, "CSF", None),
        # blood has many names, and the marks between the words are none of it
        ("GLUC", None, "BLOOD, VENOUS", "glucose"),
        ("GLUC", None, "Venous", "glucose"),
        ("GLUC", None, "静脉血", "glucose"),
        ("GLUC", None, "BLOOD, CAPILLARY", "glucose"),
        ("GLUC", None, "指尖血", "glucose"),
        ("HGB", None, "外周血", "haemoglobin"),
        ("POTAS", None, "BLOOD, ARTERIAL", "potassium"),
        ("POTAS", None, "动脉血", "potassium"),
        ("PH", None, "BLOOD, ARTERIAL", "arterial_ph"),
        ("PH", None, "动脉血", "arterial_ph"),
        ("PH", None, "静脉血", None),
        ("PH", None, "BLOOD, CAPILLARY", None),
        ("HGB", None, "骨髓血", None),
        ("HGB", None, "CORD BLOOD", None),
        # relative counts are no counts
        ("NEUTLE", None, None, None),
        ("", None, None, None),
        (None, None, None, None),
    ],
)
def test_a_name_means_one_quantity_or_none(
    test: str | None, loinc: str | None, specimen: str | None, found: str | None
) -> None:
    analyte = find_analyte(test=test, loinc=loinc, specimen=specimen)
    assert (analyte.id if analyte else None) == found


@pytest.mark.parametrize(
    ("analyte", "unit", "factor"),
    [
        ("creatinine", "mg/dL", "88.42"),
        ("bilirubin", "mg/dL", "17.104"),
        ("urate", "mg/dL", "59.48"),
        ("albumin", "g/dL", "10"),
        ("platelets", "/mm3", "0.001"),
        ("alt", "ukat/L", "60"),
        ("potassium", "meq/L", "1"),
        ("magnesium", "meq/L", "0.5"),
    ],
)
def test_a_factor_is_exact(analyte: str, unit: str, factor: str) -> None:
    assert load_analytes().by_id[analyte].factors[unit] == Fraction(factor)


def test_glucose_and_haemoglobin_are_converted_by_their_molar_mass() -> None:
    table = load_analytes().by_id
    assert table["glucose"].factors["mg/dL"] == 1 / Fraction("18.016")
    assert table["haemoglobin"].factors["mmol/L"] == 1 / Fraction("0.06206")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("", r"a\.csv: holds no analytes"),
        ("A,n,U/L,,,,,blood,,\n", r'a\.csv, line 2: id is "A"; allowed are small letters'),
        ("a,,U/L,,,,,blood,,\n", r"line 2: name is empty"),
        ("a,n,furlong,,,,,blood,,\n", r'line 2: "furlong" is no unit; allowed are 1, %'),
        ("a,n,U/L,ukat/L,,,,blood,,\n", r'line 2: units has "ukat/L"; allowed is a unit once'),
        ("a,n,U/L,ukat/L=0,,,,blood,,\n", r'line 2: the factor "0"'),
        ("a,n,U/L,ukat/L=sixty,,,,blood,,\n", r'line 2: the factor "sixty"'),
        ("a,n,U/L,,,,1742,blood,,\n", r'line 2: loinc is "1742"'),
        ("a,n,U/L,,,,,tea,,\n", r'line 2: specimen is "tea"; allowed are blood, urine, arterial, any'),
        ("a,n,U/L,,,,,blood,b,\n", r'line 2: judged_as is "b"; allowed are a'),
        ("a,n,U/L,,X,,,blood,,\nb,m,U/L,,X,,,blood,,\n", r'line 3: the name "x" is claimed by a too'),
        ("a,n,U/L,,X,,,blood,,\nb,m,U/L,,x,,,urine,,\n", r'line 3: the name "x" is claimed by a too'),
        ("a,n,U/L,,,,1-1,blood,,\nb,m,U/L,,,,1-1,blood,,\n", r'line 3: the LOINC code "1-1" is claimed by a too'),
        ("a,n,U/L,,,,,blood,,\na,m,U/L,,,,,blood,,\n", r'line 3: the analyte "a" was already there'),
        ("a,n\n", r"line 2: has 2 cells; allowed is 10"),
    ],
)
def test_a_wrong_table_is_refused_with_file_and_line(rows: str, said: str) -> None:
    with pytest.raises(CriteriaError, match=said):
        parse_analytes((HEADER + rows).encode(), file="a.csv")
