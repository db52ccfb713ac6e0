"""Whatever JSON is sent, the answer is a receipt or a problem that says where, never a fault."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.intake.at_site import Site, a_report, an_event

WORDS = (
    "2026-03-01", "2026", "9999-12-31", "0001-01-01T00:00", "2026-03-01T10:00+23:59", "-----T10:00", "S01-001", "death",
    "fatal", "product", "laboratory", "a~b/c",
)  # fmt: skip
FIELDS = (
    *a_report(), *an_event(), "kind", "observations", "nullify", "reason", "from", "grade", "course", "causality",
    "component_of", "value", "unit", "at",
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=20), st.sampled_from(WORDS))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS)
NAMES = st.one_of(st.sampled_from(sorted(FIELDS)), st.text(max_size=8))
ANY = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=12,
)  # fmt: skip


def grafts(whole: Any) -> st.SearchStrategy[Any]:
    """The document with one value in it replaced by something else, or something added: nearly right is hardest."""
    places = list(_places(whole, ()))
    return st.tuples(st.sampled_from(places), ANY).map(lambda pick: _with(whole, *pick))


def _places(node: Any, place: tuple[Any, ...]) -> Any:
    yield place
    if isinstance(node, dict):
        yield (*place, "surprise")
        for key, value in node.items():
            yield from _places(value, (*place, key))
    elif isinstance(node, list):
        for n, value in enumerate(node):
            yield from _places(value, (*place, n))


def _with(node: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    if isinstance(node, dict):
        return {**node, place[0]: _with(node.get(place[0]), place[1:], value)}
    return [_with(one, place[1:], value) if n == place[0] else one for n, one in enumerate(node)]


RICH = a_report(
    an_event(
        course=[{"grade": 2, "from": "2026-03-01"}],
        causality=[{"agent": "product", "relation": "related"}],
        end="2026-03-02",
        component_of="AE-1",
    ),
    source={"system": "edc", "batch": "1", "reference": "2"},
)
LAB = {"kind": "laboratory", "subject": "S01-001", "at": "2026-03-01", "test": "Hb", "value": 9.1, "unit": "g/dL"}
DOSE = {"kind": "infusion", "subject": "S01-001", "level": "DL1", "started_at": "2026-02-27T10:00"}

CALLS: dict[str, Any] = {
    "/v1/reports": RICH,
    "/v1/reports/TOC-0001/follow-ups": {"events": RICH["events"], "narrative": "x"},
    "/v1/queries/{}/answers": {"value": "2026-03-01", "statement": "x"},
    "/v1/doses": DOSE,
    "/v1/observations": {"observations": [LAB, {**LAB, "kind": "ice", "score": 3}]},
}


@pytest.mark.parametrize("path", CALLS)
@settings(
    max_examples=80, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(data=st.data())
def test_any_json_is_answered_by_a_receipt_or_a_problem(lasting_site: Site, path: str, data: st.DataObject) -> None:
    body = data.draw(st.one_of(ANY, grafts(CALLS[path])))
    if "{}" in path:
        query = lasting_site.report(an_event(investigator_aware_at=None), product=None)["queries"][0]
        path = path.format(query["query_id"])
    elif "TOC" in path:
        path = path.replace("TOC-0001", lasting_site.report()["case_id"])
    answer = lasting_site.post(path, body)

    assert answer.status_code in (201, 400, 422), answer.text
    if answer.status_code != 201:
        assert answer.json()["title"]
        for wrong in answer.json().get("errors", []):
            assert wrong["pointer"] == "" or wrong["pointer"].startswith("/")
            assert wrong["problem"]
