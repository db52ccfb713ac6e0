"""The words of the frame, in the two languages that a site may read."""

from __future__ import annotations

from typing import Final

ENGLISH: Final = {
    "skip": "Skip to content", "main": "Main", "zone": "Study time", "out": "Sign out", "sign_in": "Sign in",
    "name": "Name", "password": "Password", "back": "Back", "all_keys": "Keys", "move": "move",
    "open": "open or accept",
    "search": "search", "by_provider": "Sign in with", "these": "these keys", "single": "Single keys are on",
    "close": "Close",
    "rehearsal": "Invented cases. Time stands at",
}  # fmt: skip
CHINESE: Final = {
    "skip": "跳到正文", "main": "主导航", "zone": "研究时间", "out": "退出", "sign_in": "登录",
    "name": "用户名", "password": "密码", "back": "返回", "all_keys": "快捷键", "move": "上下移动",
    "open": "打开或确认",
    "search": "搜索", "by_provider": "登录方式：", "these": "本帮助", "single": "启用单键快捷键", "close": "关闭",
    "rehearsal": "虚构病例。时间停在",
}  # fmt: skip


def of(lang: str) -> dict[str, str]:
    """The words in this language: Simplified Chinese (`zh…`), else English."""
    return CHINESE if lang.startswith("zh") else ENGLISH
