"""The forms of the coding page, read strictly: what is missing or wrong is named with what is allowed."""

from __future__ import annotations

from typing import Any, Final, TypeVar
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from meddra_coder.decisions import CodingDecision
from meddra_coder.proposals import SecondAnswerFacts
from meddra_coder.site_questions import LONGEST, SiteQuestionFacts
from tocsin.errors import Refused, Wrong
from tocsin.web.pages import Form
from tocsin.web.pointers import wrong_places

T = TypeVar("T")

LONGEST_NOTE: Final = 1000
_NOTE: Final = f"why, in a few words: 1 to {LONGEST_NOTE} letters"
_DECISION: Final = TypeAdapter(CodingDecision)
_ANSWER: Final = TypeAdapter(SecondAnswerFacts)
_QUESTION: Final = TypeAdapter(SiteQuestionFacts)


def decision(form: Form) -> CodingDecision:
    """The term that was picked, with its note, and whether the words become a synonym."""
    wrong = []
    if not form.get("llt_code"):
        wrong.append(Wrong("/llt_code", "none is picked", "a candidate, or a term that the search finds"))
    if not form.get("reason"):
        wrong.append(_no_note())
    if wrong:
        raise Refused("nothing was decided yet", wrong)
    sent: dict[str, Any] = {**_common(form), "llt_code": form.get("llt_code"), "reason": form.get("reason")}
    if form.get("synonym"):
        sent["synonym"] = form.get("scope") or "study"
        sent["synonym_phrase"] = form.get("synonym_phrase") or None
    return _understood(_DECISION, sent, "the decision cannot be understood")


def undo(form: Form) -> CodingDecision:
    """That the newest decision on the event is taken back."""
    if not form.get("reason"):
        raise Refused("nothing was taken back yet", [_no_note()])
    sent = {**_common(form), "undo": True, "reason": form.get("reason")}
    return _understood(_DECISION, sent, "the undo cannot be understood")


def question(form: Form) -> SiteQuestionFacts:
    """What the site is asked, in words."""
    if not form.get("question"):
        allowed = f"what the site can answer: 1 to {LONGEST} letters"
        raise Refused("nothing was asked yet", [Wrong("/question", "is empty", allowed)])
    # A browser sends the ends of lines as two characters each.
    text = form.get("question").replace("\r\n", "\n")
    return _understood(_QUESTION, {**_common(form), "question": text}, "the question cannot be understood")


def split(form: Form) -> SiteQuestionFacts:
    """The events that the site is asked to report instead of one."""
    parts = [part.strip() for part in form.many("part") if part.strip()]
    if len(parts) < 2:
        problem = "there is one alone" if parts else "there is none"
        raise Refused("nothing was asked yet", [Wrong("/parts", problem, "two or more, each in words")])
    return _understood(_QUESTION, {**_common(form), "parts": parts}, "the parts cannot be understood")


def answer(form: Form) -> tuple[UUID, SecondAnswerFacts]:
    """Which proposal a second person answers, and how."""
    try:
        proposal = UUID(form.get("proposal"))
    except ValueError:
        raise Refused("there is no such proposal") from None
    if form.get("approve") not in ("yes", "no"):
        raise Refused("nothing was answered yet", [Wrong("/approve", "is not answered", "approve or refuse")])
    if not form.get("reason"):
        raise Refused("nothing was answered yet", [_no_note()])
    sent = {"approve": form.get("approve") == "yes", "reason": form.get("reason")}
    return proposal, _understood(_ANSWER, sent, "the answer cannot be understood")


def _common(form: Form) -> dict[str, Any]:
    sent: dict[str, Any] = {"event_id": form.get("event")}
    if form.get("revision"):
        try:
            sent["revision"] = int(form.get("revision"))
        except ValueError:
            raise Refused("this form is not whole", [Wrong("/revision", "is no number", "the page as it is")]) from None
    return sent


def _no_note() -> Wrong:
    return Wrong("/reason", "is empty", _NOTE)


def _understood(model: TypeAdapter[T], sent: dict[str, Any], title: str) -> T:
    texts = [one for value in sent.values() for one in (value if isinstance(value, list) else [value])]
    if any(isinstance(text, str) and "\x00" in text for text in texts):
        raise Refused(title, [Wrong("", "it holds a character that cannot be kept", "no U+0000")])
    try:
        return model.validate_python(sent)
    except ValidationError as error:
        raise Refused(title, wrong_places(error, sent, model)) from None
