"""What docs/api.md shows people to send is what the calls take."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from pydantic import TypeAdapter

from alerting.shown_decisions import DecisionFacts, DuplicateFacts, SecondSignatureFacts
from alerting.shown_deeds import AcknowledgementFacts, SubmissionFacts
from tests.docs.pages import ROOT, blocks

MODELS: dict[str, Any] = {
    r"/v1/clocks/\$CLOCK/submissions": SubmissionFacts,
    r"/v1/clocks/\$CLOCK/submissions/\$SUBMISSION/acknowledgements": AcknowledgementFacts,
    r"/v1/assessments/TOC-0031": DecisionFacts,
    r"/v1/assessments/TOC-0031/\$DECISION/signatures": SecondSignatureFacts,
    r"/v1/duplicates/\$PAIR/decisions": DuplicateFacts,
}


@pytest.mark.parametrize("path", MODELS)
def test_the_body_that_the_page_shows_is_taken(path: str) -> None:
    shown = [
        found[1]
        for block in blocks(ROOT / "docs" / "api.md")
        if re.search(rf'\$TOCSIN_URL{path}"', block.text) and (found := re.search(r"-d '(.*)'", block.text, re.DOTALL))
    ]
    assert len(shown) == 1
    json.loads(shown[0])
    TypeAdapter(MODELS[path]).validate_json(shown[0], strict=True)
