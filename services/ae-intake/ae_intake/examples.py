"""The examples of /openapi.json. A test posts each of them; subjects and people are invented."""

from __future__ import annotations

from typing import Any

REPORTS: dict[str, Any] = {
    "A serious event": {
        "subject": "S01-001",
        "reporter": {"name": "Dr Li Example", "role": "investigator"},
        "product": "KQ-2003",
        "events": [
            {
                "ref": "AE-1",
                "verbatim": "cytokine release syndrome",
                "onset": "2026-03-01T22:10",
                "serious": True,
                "seriousness": ["hospitalisation"],
                "grade": {"ctcae": 3, "astct": 2},
                "outcome": "not_recovered",
                "causality": [{"agent": "product", "party": "investigator", "relation": "related"}],
                "investigator_aware_at": "2026-03-02T08:30",
            }
        ],
    },
    "Answers instead of a grade": {
        "subject": "S01-002",
        "reporter": {"name": "Dr Li Example", "role": "investigator"},
        "product": "KQ-2003",
        "events": [
            {
                "ref": "AE-1",
                "verbatim": "diarrhea",
                "onset": "2026-03-01",
                "serious": False,
                "symptoms": "moderate",
                "limits": "instrumental_adl",
                "intervention": "medical",
            }
        ],
    },
    "A death, as much as is known": {"subject": "S01-002", "events": [{"verbatim": "found dead at home"}]},
    "A pregnancy": {"subject": "S01-003", "kind": "pregnancy", "detail": "partner", "product": "KQ-2003"},
}

FOLLOW_UPS: dict[str, Any] = {
    "News of one event": {
        "events": [
            {"ref": "AE-1", "verbatim": "cytokine release syndrome", "outcome": "recovered", "end": "2026-03-05"}
        ]
    },
    "A corrected grade": {
        "events": [{"ref": "AE-1", "verbatim": "cytokine release syndrome", "grade": {"ctcae": 2}, "correction": True}]
    },
    "The wrong subject": {"nullify": True, "reason": "typed the wrong number", "right_subject": "S01-004"},
}

ANSWERS: dict[str, Any] = {
    "The fact": {"value": "2026-03-02T08:30"},
    "Facts of any kind": {"follow_up": {"reporter": {"role": "study nurse"}}},
    "In words": {"statement": "not a duplicate: the second episode began after discharge"},
}

DOSES: dict[str, Any] = {
    "An enrolment": {"kind": "enrolment", "subject": "S01-001", "level": "DL1", "enrolled_on": "2026-02-10"},
    "An infusion": {
        "kind": "infusion",
        "subject": "S01-001",
        "level": "DL1",
        "started_at": "2026-02-27T10:05",
        "planned": 1.0,
        "given": 0.98,
        "unit": "10^6 cells/kg",
        "lot": "LOT-0007",
    },
    "A withdrawal": {"kind": "withdrawal", "subject": "S01-001", "withdrawn_on": "2026-04-01", "reason": "moved away"},
    "A product event": {
        "kind": "product_event",
        "what": "thaw_failure",
        "found_at": "2026-02-27T09:20",
        "lot": "LOT-0007",
        "description": "bag leaked while thawing",
    },
}

OBSERVATIONS: dict[str, Any] = {
    "Laboratory and ward": {
        "observations": [
            {
                "kind": "laboratory",
                "subject": "S01-001",
                "at": "2026-03-03T06:00",
                "ref": "LB-17",
                "test": "Neutrophils",
                "value": 0.4,
                "unit": "10*9/L",
                "lln": 1.8,
                "uln": 6.3,
            },
            {"kind": "vital_sign", "subject": "S01-001", "at": "2026-03-03T06:10", "sign": "temperature",
             "value": 39.1, "unit": "Cel"},
            {"kind": "oxygen", "subject": "S01-001", "at": "2026-03-03T06:10", "device": "low_flow_nc",
             "flow_l_per_min": 2},
        ]
    }
}  # fmt: skip

_QUERY = "2f0f7d0e-6b7e-5a55-9d0e-0f1c2f7b8a11"
_QUESTION = "When did the investigator first know of this event? Give day, time and, if in doubt, the offset."

RECEIPT: dict[str, Any] = {
    "case_id": "TOC-0031",
    "revision": 1,
    "received_at": "2026-03-02T01:15:00Z",
    "complete": True,
    "missing": [],
    "contradictions": [],
    "possible_duplicates": [],
    "queries": [
        {"query_id": _QUERY, "kind": "awareness", "about": "/events/0/investigator_aware_at", "question": _QUESTION}
    ],
    "day_zero": [
        {
            "event_id": "TOC-0031-E1",
            "ref": "AE-1",
            "day_zero": "2026-03-02",
            "received_at": "2026-03-02T01:15:00Z",
            "is_provisional": False,
            "why": "revision 1 received 2026-03-02 09:15 CST with the four minimum elements",
        }
    ],
    "clocks": [
        {
            "status": "as_received",
            "rule": "CN_SUSAR_15D",
            "clause": "CDE safety data rapid reporting standard (2018)",
            "recipient": "CDE",
            "event_id": "TOC-0031-E1",
            "day_zero": "2026-03-02",
            "due_on": "2026-03-17",
            "due_at": "2026-03-17T23:59:59+08:00",
            "reasons": ["criterion: hospitalisation", "day 0 is 2026-03-02, plus 15 calendar days"],
            "provisional": True,
            "confidence": "high",
        }
    ],
    "assumptions": ["ASSUMED RULES, not approved by the sponsor: reference safety information (none)"],
    "moved_to": None,
}

DOSE_RECEIPT: dict[str, Any] = {
    "record_id": "6e1c2a52-6a1d-4f0b-9a55-6a6f7d1c2b10",
    "received_at": "2026-02-27T02:30:00Z",
    "study": "NCT06223646",
    "site": "S01",
    "subject": "S01-001",
    "kind": "infusion",
}

OBSERVATIONS_RECEIPT: dict[str, Any] = {
    "received_at": "2026-03-02T22:20:00Z",
    "study": "NCT06223646",
    "records": [{"record_id": "0b7b6d2e-0a2f-4a3c-9f8e-0d6a1c9b7e55", "subject": "S01-001", "observations": 3}],
}

CASES: dict[str, Any] = {
    "reports": [
        {
            "case_id": "TOC-0031",
            "study": "NCT06223646",
            "site": "S01",
            "subject": "S01-001",
            "kind": "adverse_event",
            "revision": 1,
            "received_at": "2026-03-02T01:15:00Z",
            "revised_at": "2026-03-02T01:15:00Z",
            "complete": True,
            "is_nullified": False,
        }
    ],
    "next": None,
}

CASE: dict[str, Any] = {
    **{name: RECEIPT[name] for name in RECEIPT if name not in ("assumptions", "moved_to")},
    "study": "NCT06223646",
    "site": "S01",
    "subject": "S01-001",
    "revised_at": "2026-03-02T01:15:00Z",
    "is_nullified": False,
    "facts": REPORTS["A serious event"],
    "events": [{"event_id": "TOC-0031-E1", "facts": REPORTS["A serious event"]["events"][0]}],
    "history": [
        {
            "revision": 1,
            "how": "report",
            "received_at": "2026-03-02T01:15:00Z",
            "recorded_at": "2026-03-02T01:15:00Z",
            "sent_by": "key-3f9a1c2b7d10",
            "reason": None,
            "statement": None,
            "is_nullified": False,
            "sent": REPORTS["A serious event"],
        }
    ],
}

QUERIES: dict[str, Any] = {
    "queries": [
        {
            "query_id": _QUERY,
            "case_id": "TOC-0031",
            "study": "NCT06223646",
            "site": "S01",
            "kind": "awareness",
            "about": "/events/0/investigator_aware_at",
            "question": _QUESTION,
            "raised_by": "ae-intake",
            "raised_at": "2026-03-02T01:15:00Z",
            "status": "open",
            "settled_at": None,
            "settled_revision": None,
        }
    ],
    "next": None,
}
