"""How the printed criteria are read where they cannot be applied to every number as they stand, and why.

How the two editions are read, besides `READINGS` (each such row is marked `reading`, except where a fact is meant):

- Calcium is total calcium corrected for albumin, or ionized calcium. Total calcium as measured is not judged.
- Haemoglobin increased counts from the upper limit of normal; v6.0 says so, v5.0 leaves it open.
- Level of infarction is a fact that the site tells (`infarction_level`), because it is the manufacturer's.
- A printed alternative that is no number ("; transfusion indicated") raises a grade for a physician; it does not make
  the number uncertain. What is printed with "and" or "with" has to hold together with the number, so it is in `needs`.
- An "abnormal" baseline is above the upper limit for what is increased, below the lower one for what is decreased.
- v6.0 ALT and AST: grade 3 is printed for a baseline up to 5 x ULN. Above that nothing is printed between 2 and
  4 x baseline, which is worse than grade 2 and not yet grade 4: read as grade 3.
- v6.0 baseline ladders begin at 1.0 x baseline, so an unchanged value is of grade 1; v5.0 bilirubin begins above it.
- v6.0 lymphopenia is "present": read as below the lower limit of normal. TSH, HDL, LDL and vitamin D alike.
- v6.0 FEV1: below 50 percent nothing is printed and no grade 4 exists: read as grade 3.
- v6.0 protein to creatinine ratio of grade 1 has no lower end: read as at least the upper limit of normal.
- v6.0 hypertension: a pressure of grade 3 or 4 that did not last an hour is still one of grade 2.
- v6.0 hypoxia grade 1 holds whatever the symptoms: with them it cannot be less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tocsin.criteria.bands import ANY_UNIT


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read instead of what is printed: of one grade of a term, one side, and why."""

    code: str
    grade: str
    side: str
    printed: str
    read: str
    why: str


NEXT: Final = "the next grade begins at the next whole number; read up to it, so that no number between is lost"
READINGS: Final = (
    Reading("10021038", "2", "upper", "<= 129", "< 130", NEXT),
    Reading("10021038", "3", "upper", "<= 129", "< 130", NEXT),
    Reading("10021038", "3", "upper", "<= 124", "< 125", NEXT),
    Reading("10014383", "2", "lower", ">= 481", "> 480", NEXT),
    Reading("10014383", "3", "lower", ">= 501", "> 500", NEXT),
    Reading("10064848", "2", "upper", "<= 59", "< 60", NEXT),
    Reading("10064848", "3", "upper", "<= 29", "< 30", NEXT),
    Reading("10016987", "1", "upper", "<= 99", "< 100", "99 is the whole number before what is predicted"),
    Reading("10016987", "2", "upper", "<= 69", "< 70", NEXT),
    Reading("10016987", "3", "upper", "<= 59", "< 60", NEXT),
    Reading("10016987", "4", "upper", "<= 49", "< 50", NEXT),
    Reading("10050528", "3", "upper", "<= 39", "< 40", NEXT),
    Reading("10050528", "2", "upper", "<= 19", "< 20", NEXT),
    Reading("10029883", "2", "upper", "<= 29.9", "< 30", NEXT),
    Reading("10029883", "3", "upper", "<= 39.9", "< 40", NEXT),
    Reading("10020772", "1", "upper", "<= 139", "< 140", NEXT),
    Reading("10020772", "2", "upper", "<= 159", "< 160", NEXT),
    Reading("10020772", "1", "upper", "<= 89", "< 90", NEXT),
    Reading("10020772", "2", "upper", "<= 99", "< 100", NEXT),
    Reading("10012727", "2", "upper", "<= 6", "< 7", NEXT),
    Reading(
        "10065906", "2", "lower", ">= 6", "> 5", "the clause on follow-up has more than 5; the limit is read alike"
    ),
    Reading("10016558", "2", "lower", ">= 102.3", "> 102.2", "39.0 Cel is 102.2 degF, and grade 2 is above it"),
    Reading("10016596", "1", "lower", "", "> 0", "a decrease is more than none"),
    Reading("10012727", "1", "lower", "", "> 0", "an increase is more than none"),
)
"""The misprint in the SI bounds of CD4 grade 3 is mended in the reference already."""

ANALYTES: Final = {
    "Hemoglobin": "haemoglobin",
    "Hemoglobin drop": "haemoglobin",
    "Neutrophils (ANC)": "neutrophils",
    "ANC + temperature": "neutrophils",
    "Lymphocytes": "lymphocytes",
    "Leukocytes": "leukocytes",
    "Platelets": "platelets",
    "CD3+CD4+ T cells": "cd4_cells",
    "Eosinophils": "eosinophils",
    "Methemoglobin": "methaemoglobin",
    "aPTT": "aptt",
    "INR": "inr",
    "Fibrinogen": "fibrinogen",
    "ALT": "alt",
    "AST": "ast",
    "ALP": "alp",
    "GGT": "ggt",
    "Bilirubin total": "bilirubin",
    "Lipase": "lipase",
    "Amylase": "amylase",
    "Creatine kinase": "creatine_kinase",
    "LDH": "ldh",
    "Haptoglobin": "haptoglobin",
    "Bicarbonate": "bicarbonate",
    "TSH": "tsh",
    "Cardiac troponin I": "troponin_i",
    "Cardiac troponin T": "troponin_t",
    "Creatinine": "creatinine",
    "Sodium": "sodium",
    "Potassium": "potassium",
    "Calcium, albumin-corrected": "calcium_corrected",
    "Calcium, ionized": "calcium_ionized",
    "Magnesium": "magnesium",
    "Glucose": "glucose",
    "Albumin": "albumin",
    "Cholesterol total": "cholesterol",
    "Triglycerides": "triglycerides",
    "Urate": "urate",
    "Arterial pH": "arterial_ph",
    "Phosphate": "phosphate",
    "LVEF": "lvef",
    "QTc (average)": "qtc",
    "Body temperature": "temperature",
    "Systolic BP": "systolic",
    "Diastolic BP": "diastolic",
    "SpO2": "spo2",
    "PaO2": "pao2",
    "FiO2 need": "oxygen_need",
    "Body weight": "weight",
    "BMI": "bmi",
    "eGFR or CrCl": "egfr",
    "Urine protein 24h": "protein_urine_24h",
    "Urine protein/creatinine": "protein_creatinine_ratio",
    "Urine volume 8h": "urine_volume_8h",
    "Urine volume 24h": "urine_volume_24h",
    "FEV1 % predicted": "fev1",
    "VC % predicted": "vital_capacity",
    "DLCO": "dlco",
    "Stools/day over baseline": "stools",
}
BASES: Final = {
    "": "",
    "absolute": "absolute",
    "xULN": "xULN",
    "xLLN": "xLLN",
    "xbaseline": "xbaseline",
    "delta_above_reference": "above_ULN",
    "decrease_from_baseline": "decrease",
    "increase_from_baseline": "increase",
    "points_drop_from_baseline": "decrease",
    "pct_decrease_from_baseline": "pct_decrease",
    "pct_increase_from_baseline": "pct_increase",
    "units_below_LLN": "below_LLN",
    "units_below_LLN_or_baseline": "below_LLN",
}
UNITS: Final = {"mg/dL or umol/L": ANY_UNIT, "mIU/L": "m[IU]/L", "/mm3 ; Cel": "/mm3", "mL/min/mmHg": "mL/min/mm[Hg]"}

LOW: Final = frozenset(
    {"10002272", "10029366", "10025256", "10049182", "10035528", "10007839", "10016596", "10019150", "10005359"}
    | {"10021038", "10021018", "10020949", "10021028", "10021005", "10020943", "10000486", "10064848", "10021059"}
    | {"10043554", "10025327", "10019186", "10062189"}
)
NONE: Final = frozenset(
    {"10016288", "10019491", "10050528", "10014383", "10016558", "10021113", "10020772", "10021097", "10021143"}
    | {"10052015", "10047900", "10047896", "10029883", "10059895", "10016987", "10047580", "10065906", "10012727"}
)
"""Graded when asked for by name: what is no laboratory value, or needs more than the number."""

NEEDS: Final = {
    ("10024574", "AND asymptomatic"): "symptomatic=no",
    ("10024574", "AND signs or symptoms"): "symptomatic=yes",
    ("10040139", "AND asymptomatic"): "symptomatic=no",
    ("10040139", "AND signs or symptoms"): "symptomatic=yes",
    ("10021038", "AND asymptomatic"): "symptomatic=no",
    ("10021038", "AND symptomatic"): "symptomatic=yes",
    ("10021018", "AND asymptomatic / no intervention"): "symptomatic=no",
    ("10021018", "AND (symptomatic; intervention indicated)"): "symptomatic=yes",
    ("10020907", "AND without physiologic consequences"): "physiologic_consequences=no",
    ("10020907", "AND with physiologic consequences"): "physiologic_consequences=yes",
    ("10019491", "AND evidence of hemolysis"): "evidence_of_haemolysis=yes",
    ("10005359", "AND no intervention initiated"): "intervention=no",
    ("10043770", "AND no intervention initiated"): "intervention=no",
    ("10016558", "for <=24 hrs"): "over_24_hours=no",
    ("10016558", "for >24 hrs"): "over_24_hours=yes",
    ("10021143", "at rest"): "at_rest=yes",
    ("10021143", "with exercise; OR intermittent supplemental oxygen"): "at_rest=no",
}
ABOVE_IS_ABNORMAL: Final = {"any": "any", "normal": "not_above_ULN", "abnormal": "above_ULN"}
BELOW_IS_ABNORMAL: Final = {"any": "any", "normal": "not_below_LLN", "abnormal": "below_LLN"}

# What one row of the reference cannot say: bands that follow from the text of the same term (each is a reading).
ADDED: Final = (
    "Hemolysis,10019491,none,haemoglobin,g/dL,1,,,< 2,decrease,,any,"
    "evidence_of_haemolysis=yes,reading;starts_at_number",
    "Hypertension,10020772,none,systolic,mm[Hg],1,>= 140,absolute,< 160,absolute,,any,"
    "adult=yes;previously_normal=no,reading",
    "Hypertension,10020772,none,diastolic,mm[Hg],1,>= 90,absolute,< 100,absolute,,any,"
    "adult=yes;previously_normal=no,reading",
    "Hypothermia,10021113,none,temperature,[degF],2,> 89.6,absolute,<= 95,absolute,,any,,",
    "Hypothermia,10021113,none,temperature,[degF],3,> 82.4,absolute,<= 89.6,absolute,,any,,",
    "Hypothermia,10021113,none,temperature,[degF],4,,,<= 82.4,absolute,,any,,reading",
    *(
        f"Carbon monoxide diffusing capacity decreased,10065906,none,dlco,mL/min/mm[Hg],{rest}"
        for rest in (
            "1,>= 3,decrease,<= 5,decrease,,any,,starts_at_number",
            "2,> 5,decrease,<= 8,decrease,,any,pulmonary_symptoms=no,",
            "3,> 5,decrease,<= 8,decrease,,any,pulmonary_symptoms=yes,",
            "3,> 8,decrease,,,,any,,",
        )
    ),
)
EXPLAINS: Final = {
    # What the terms table cannot tell: where a ladder begins or ends at a number of its own.
    "10025258": "starts_at_number",
    "10024378": "starts_at_number",
    "10016288": "starts_at_number",
    "10022402": "starts_at_number",
    "10020870": "starts_at_number",
    "10050528": "starts_at_number",
    "10014383": "starts_at_number",
    "10016558": "starts_at_number",
    "10021113": "starts_at_number",
    "10020772": "starts_at_number",
    "10021143": "starts_at_number",
    "10047900": "starts_at_number",
    "10047896": "starts_at_number",
    "10029883": "starts_at_number",
    "10059895": "starts_at_number",
    "10016987": "starts_at_number",
    "10047580": "starts_at_number",
    "10065906": "starts_at_number",
    "10052015": "starts_at_number",
    "10037032": "starts_at_number",
    "10001551": "below_1.5_x_baseline",
    "10003481": "below_1.5_x_baseline",
    "10001675": "below_2_x_baseline",
    "10056910": "below_2_x_baseline",
    "10011368": "starts_at_number",
    "10016596": "starts_at_number",
}
# A child's protein is judged by its ratio to creatinine alone.
ENDS: Final = frozenset({("10037032", "protein_urine_24h")})

HAND_KEPT: Final = frozenset(
    {"10055599", "10029366", "10043554", "10025327", "10001551", "10003481", "10001675", "10056910", "10005364"}
    | {"10024574", "10040139", "10043770", "10011368", "10021038", "10020639", "10014383", "10049694", "10020772"}
    | {"10021143", "10052015", "10046553", "10059895", "10016987", "10065906", "10012727", "10019186", "10024057"}
    | {"10062189", "10045152", "10064848"}
)
"""Terms whose numbers v6.0 changed, renamed or added: entered by hand from NCI's workbook of v6.0."""
