"""A nurse in Beijing reports from a phone, in a real browser: from signing in to the printed receipt, in Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.shapes import Shape, one_process

pytestmark = pytest.mark.browser

PASSWORD = "a long night, quiet so far"
PHONE = 390
SAVED = 15_000
"""How long the form may take to keep a draft by itself, in milliseconds."""


@dataclass
class Ward:
    """A house, and the phone of a nurse of S01 who has signed in."""

    shape: Shape
    phone: Page
    said: list[str]
    asked: list[str]

    def open(self, path: str) -> None:
        self.phone.goto(self.shape.intake + path)

    def fits(self) -> None:
        """No page has to be moved sideways."""
        assert self.phone.evaluate("document.documentElement.scrollWidth") <= PHONE, self.phone.url


@pytest.fixture(scope="module")
def shape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shape]:
    found = one_process(tmp_path_factory.mktemp("house"))
    try:
        found.start()
        found.person("wang", PASSWORD, "site", of=("NCT06223646", "S01"))
        yield found
    finally:
        found.end()


@pytest.fixture
def ward(shape: Shape, browser: Browser) -> Iterator[Ward]:
    context = browser.new_context(viewport={"width": PHONE, "height": 844}, locale="zh-CN")
    said: list[str] = []
    asked: list[str] = []
    phone = context.new_page()
    phone.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    phone.on("pageerror", lambda error: said.append(str(error)))
    phone.on("request", lambda request: asked.append(request.url))
    found = Ward(shape, phone, said, asked)
    found.open("/report")
    assert phone.get_by_role("heading", level=1).inner_text() == "登录"
    # The answer to a stranger is 401, which the browser tells its console: that is no error of the page.
    said.clear()
    phone.get_by_label("用户名").fill("wang")
    phone.get_by_label("密码").fill(PASSWORD)
    with phone.expect_navigation(wait_until="load"):
        phone.get_by_role("button", name="登录").click()
    yield found
    context.close()


def test_a_report_in_chinese_on_a_phone_from_signing_in_to_the_printed_receipt(ward: Ward, tmp_path: Path) -> None:
    phone = ward.phone
    expect(phone.get_by_role("heading", level=1)).to_have_text("报告不良事件")
    assert phone.evaluate("document.documentElement.lang") == "zh-Hans"
    ward.fits()
    phone.get_by_role("link", name="新建报告").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("新建报告")
    ward.fits()
    assert phone.locator("input[type=radio]:checked").count() == 0

    phone.get_by_label("受试者编号").fill("S01-021")
    event = phone.get_by_role("region", name="不良事件", exact=True)
    event.get_by_label("发生了什么？").fill("细胞因子释放综合征 <script>alert(1)</script>")
    onset = event.get_by_role("group", name="何时开始？")
    onset.get_by_label("日期").fill("2026年3月1日")
    event.get_by_role("group", name="是否需要住院或延长住院时间？").get_by_text("是", exact=True).click()
    event.get_by_role("group", name="KQ-2003").get_by_text("是", exact=True).click()
    event.get_by_label("目前转归如何？").select_option(label="未好转")
    aware = event.get_by_role("group", name="研究中心何时获知？")
    aware.get_by_label("日期").fill("2026-03-02")
    aware.get_by_label("时间（如已知）").fill("08:30")
    phone.get_by_label("报告人姓名").fill("李医生")
    phone.get_by_role("group", name="怀疑与哪种药品有关？").get_by_text("KQ-2003").click()
    phone.get_by_role("button", name="发送报告").click()

    phone.wait_for_url("**/report/receipts/TOC-*")
    ward.fits()
    case_id = phone.url.rpartition("/")[2]
    page = phone.locator("main").inner_text()
    for said in (
        case_id, "已收下并保存。", "Asia/Shanghai", "细胞因子释放综合征 <script>alert(1)</script>",
        "严重：住院或住院时间延长",
        "未好转", "KQ-2003：有关", "最迟应于 2026年3月3日（周二）08:30 前向申办方报告。", "接下来",
    ):  # fmt: skip
        assert said in page, said

    phone.emulate_media(media="print")
    assert not phone.get_by_role("button", name="打印").is_visible()
    assert not phone.get_by_role("navigation").is_visible()
    assert phone.get_by_text(case_id).first.is_visible()
    paper = phone.pdf(path=str(tmp_path / "receipt.pdf"), format="A4")
    assert paper.startswith(b"%PDF")
    phone.emulate_media(media="screen")

    for path in (f"/report/cases/{case_id}", f"/report/cases/{case_id}/follow-up", "/report"):
        ward.open(path)
        ward.fits()
    assert ward.said == []
    assert [url for url in ward.asked if not url.startswith(ward.shape.intake)] == []


def test_a_draft_survives_a_reload_without_a_button(ward: Ward) -> None:
    phone = ward.phone
    ward.open("/report/new")
    phone.get_by_label("受试者编号").fill("S01-022")
    phone.get_by_label("发生了什么？").first.fill("发热")
    expect(phone.locator("#saved")).to_contain_text("草稿已保存", timeout=SAVED)
    assert "/report/drafts/" in phone.url
    phone.reload()
    expect(phone.get_by_label("受试者编号")).to_have_value("S01-022")
    expect(phone.get_by_label("发生了什么？").first).to_have_value("发热")
    # What the script goes on saving is the same draft.
    phone.get_by_label("受试者编号").fill("S01-023")
    expect(phone.locator("#saved")).to_contain_text("草稿已保存", timeout=SAVED)
    ward.open("/report")
    assert phone.get_by_role("link", name="S01-023").count() == 1
    assert phone.get_by_role("link", name="S01-022").count() == 0
    assert ward.said == []


def test_the_form_can_be_filled_by_keyboard_and_enter_saves_rather_than_sends(ward: Ward) -> None:
    phone = ward.phone
    ward.open("/report/new")
    phone.get_by_label("受试者编号").focus()
    phone.keyboard.type("S01-024")
    phone.keyboard.press("Enter")
    phone.wait_for_url("**/report/drafts/*")
    expect(phone.get_by_label("受试者编号")).to_have_value("S01-024")


def test_the_language_is_changed_without_losing_what_was_typed(ward: Ward) -> None:
    phone = ward.phone
    ward.open("/report/new")
    phone.get_by_label("受试者编号").fill("S01-025")
    phone.get_by_role("button", name="English").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("New report")
    expect(phone.get_by_label("Subject number")).to_have_value("S01-025")
    ward.fits()
    ward.open("/report")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Report an adverse event")
