"""The units a site may send: a closed list. An unknown unit is refused, because a guessed one is a wrong value.

`canonical` gives the UCUM spelling; the spelling that was sent is what is kept and passed on. Sources of the list:
the units of the CTCAE laboratory thresholds, and the SI and conventional units of CDISC laboratory and vital signs.
"""

from __future__ import annotations

import unicodedata

# UCUM spelling: other spellings that mean the same. Case matters in UCUM, so only what is written here is taken.
_LABORATORY: dict[str, tuple[str, ...]] = {
    "1": ("NO UNITS", "no units", "ratio", "FRACTION", "fraction", "INR"),
    "%": ("percent",),
    "pH": (),
    # amounts and masses in a volume
    "mmol/L": ("mmol/l",),
    "umol/L": ("umol/l",),
    "nmol/L": ("nmol/l",),
    "pmol/L": ("pmol/l",),
    "meq/L": ("mEq/L", "meq/l"),
    "g/dL": ("g/dl",),
    "g/L": ("g/l",),
    "mg/dL": ("mg/dl",),
    "mg/L": ("mg/l",),
    "ug/dL": ("ug/dl",),
    "ug/L": ("ug/l", "mcg/L"),
    "ng/dL": ("ng/dl",),
    "ng/L": ("ng/l",),
    "ng/mL": ("ng/ml",),
    "ug/mL": ("ug/ml", "mcg/mL"),
    "pg/mL": ("pg/ml",),
    "g/g": (),
    "mg/g": (),
    "mg/mmol": (),
    # activities
    "U/L": ("u/L", "U/l", "IU/L", "[IU]/L"),
    "m[IU]/L": ("mIU/L", "mU/L"),
    "u[IU]/mL": ("uIU/mL", "uU/mL"),
    "U/mL": ("IU/mL", "[IU]/mL"),
    "ukat/L": ("ukat/l",),
    # cells
    "10*9/L": ("10^9/L", "10E9/L", "10**9/L", "x10^9/L", "x10E9/L", "GI/L", "G/L"),
    "10*12/L": ("10^12/L", "10E12/L", "10**12/L", "x10^12/L", "x10E12/L", "TI/L", "T/L"),
    "10*6/L": ("10^6/L", "10E6/L", "10**6/L", "x10^6/L"),
    "10*3/uL": ("10^3/uL", "10E3/uL", "K/uL", "THOU/uL", "x10^3/uL", "10*3/mm3", "10^3/mm3"),
    "10*6/uL": ("10^6/uL", "10E6/uL", "M/uL", "MILL/uL", "x10^6/uL", "10*6/mm3", "10^6/mm3"),
    "/uL": ("{cells}/uL", "cells/uL", "1/uL"),
    "/mm3": ("cells/mm3", "{cells}/mm3"),
    "/[HPF]": ("/HPF", "/hpf"),
    "fL": ("fl",),
    "pg": (),
    "fmol": ("fmol(Fe)",),
    # copies
    "{copies}/mL": ("copies/mL",),
    "{copies}/ug": ("copies/ug",),
    # filtration, excretion, diffusion
    "mL/min": ("ml/min",),
    "mL/min/{1.73_m2}": ("mL/min/1.73m2", "mL/min/1.73 m2", "mL/min/1.73m^2"),
    "mL/min/mm[Hg]": ("mL/min/mmHg",),
    "g/(24.h)": ("g/24h", "g/d"),
    "mg/(24.h)": ("mg/24h", "mg/d"),
    "mL/(24.h)": ("mL/24h",),
    "mL/(8.h)": ("mL/8h",),
    # times, pressures, others
    "s": ("sec",),
    "ms": ("msec",),
    "mm/h": ("mm/hr",),
    "mm[Hg]": ("mmHg",),
    "kPa": (),
    "mosm/kg": ("mOsm/kg",),
    "kg/m2": ("kg/m^2",),
    "/d": (),
    "Cel": ("C", "degC"),
    "[degF]": ("F", "degF"),
}
_VITAL_SIGNS: dict[str, dict[str, tuple[str, ...]]] = {
    "temperature": {"Cel": ("C", "degC", "°C"), "[degF]": ("F", "degF", "°F")},
    "systolic": {"mm[Hg]": ("mmHg",), "kPa": ()},
    "diastolic": {"mm[Hg]": ("mmHg",), "kPa": ()},
    "heart_rate": {"/min": ("beats/min", "BEATS/MIN", "bpm", "{beats}/min")},
    "respiratory_rate": {"/min": ("breaths/min", "BREATHS/MIN", "{breaths}/min")},
    "spo2": {"%": ("percent",)},
    "weight": {"kg": (), "g": (), "[lb_av]": ("lb", "LB")},
}
_DOSES: dict[str, tuple[str, ...]] = {
    "{cells}/kg": ("cells/kg",),
    "10*6.{cells}/kg": ("10^6 cells/kg", "10*6 cells/kg", "10*6/kg", "10^6/kg", "x10^6 cells/kg", "×10^6 cells/kg"),
}


def _index(table: dict[str, tuple[str, ...]]) -> dict[str, str]:
    return {_plain(spelling): unit for unit, others in table.items() for spelling in (unit, *others)}


def _plain(text: str) -> str:
    """Without what only looks different: spaces around, full-width letters, the two micro signs written as u."""
    return unicodedata.normalize("NFKC", text).strip().replace("μ", "u").replace("×", "x")


_LABORATORY_INDEX = _index(_LABORATORY)
_VITAL_INDEX = {sign: _index(table) for sign, table in _VITAL_SIGNS.items()}
_DOSE_INDEX = _index(_DOSES)


def laboratory(text: str) -> str | None:
    """The UCUM unit of a laboratory value, None when the spelling is not known."""
    return _LABORATORY_INDEX.get(_plain(text))


def vital_sign(sign: str, text: str) -> str | None:
    """The UCUM unit of a vital sign, None when it is no unit of that sign."""
    return _VITAL_INDEX[sign].get(_plain(text))


def dose(text: str) -> str | None:
    """The unit of a cell dose, None when the spelling is not known."""
    return _DOSE_INDEX.get(_plain(text))


def known_laboratory() -> str:
    """What is allowed, for the answer to a wrong one."""
    return ", ".join(_LABORATORY)


def known_vital_sign(sign: str) -> str:
    return ", ".join(spelling for unit, others in _VITAL_SIGNS[sign].items() for spelling in (unit, *others[:1]))


def known_dose() -> str:
    return "cells/kg, 10^6 cells/kg"
