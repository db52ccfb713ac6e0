"""In which language a page answers, and how it writes moments.

Asked for by `?lang=`, remembered in a cookie, else as the browser prefers; English where nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.responses import Response

from ae_intake.desk.words_en import WORDS as ENGLISH
from ae_intake.desk.words_zh import WORDS as CHINESE

Lang = Literal["zh", "en"]
COOKIE = "tocsin_lang"
TAGS: Final[Mapping[Lang, str]] = {"zh": "zh-Hans", "en": "en"}
WORDS: Final[Mapping[Lang, Mapping[str, str]]] = {"zh": CHINESE, "en": ENGLISH}
_A_YEAR_S = 365 * 24 * 3600
_CHINESE_DAYS = "一二三四五六日"


def named(text: str) -> Lang | None:
    """The language that a short name says: `zh`, `zh-Hans`, `en`, `en-GB`."""
    match text.strip().lower().partition("-")[0]:
        case "zh":
            return "zh"
        case "en":
            return "en"
    return None


def language_of(request: Request) -> Lang:
    """The language of the answer to this request."""
    asked = named(request.query_params.get("lang", "")) or named(request.cookies.get(COOKIE, ""))
    return asked or _preferred(request.headers.get("accept-language", ""))


def remember(request: Request, answer: Response, lang: Lang) -> Response:
    """Keep the language, if it was asked for."""
    if named(request.query_params.get("lang", "")) is not None:
        keep(answer, lang)
    return answer


def keep(answer: Response, lang: Lang) -> None:
    """The browser answers with this language from now on."""
    answer.set_cookie(COOKIE, lang, max_age=_A_YEAR_S, httponly=True, samesite="lax")


def moment(at: datetime, zone: ZoneInfo, lang: Lang) -> str:
    """A moment as a person reads it: weekday, day, 24-hour time, in this zone."""
    there = at.astimezone(zone)
    if lang == "zh":
        day = _CHINESE_DAYS[there.weekday()]
        return f"{there.year}年{there.month}月{there.day}日（周{day}）{there:%H:%M}"
    return f"{there:%a} {there.day} {there:%b} {there.year}, {there:%H:%M}"


def _preferred(header: str) -> Lang:
    ranked: list[tuple[float, int, Lang]] = []
    for place, part in enumerate(header.split(",")):
        name, _, weight = part.partition(";")
        found = named(name)
        if found is not None:
            ranked.append((-_weight(weight), place, found))
    return min(ranked)[2] if ranked else "en"


def _weight(text: str) -> float:
    try:
        return float(text.strip().removeprefix("q="))
    except ValueError:
        return 1.0
