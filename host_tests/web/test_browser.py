"""The page in a real browser (marked `browser`): Debian's Chromium, driven by Playwright.

OPENKH_PICTURES=docs/img writes the pictures of the documentation anew.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from host.web import lessons
from host_tests.web.reports import compared, on_unix

pytestmark = pytest.mark.browser
LATEST_MS = 30_000


@pytest.fixture
def page(browser, address):
    """The open page with its first glass; afterwards: no error on the console, no request to anywhere else."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, locale="en-US")
    opened = context.new_page()
    troubles = []
    opened.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("request", lambda r: troubles.append(r.url) if not r.url.startswith((address, "data:")) else None)
    opened.goto(address)
    opened.wait_for_selector("html[data-glass]", timeout=LATEST_MS)
    yield opened
    assert not troubles
    context.close()


def picture(page, name):
    folder = os.environ.get("OPENKH_PICTURES")
    if folder:
        page.click('button:text-is("1 x")')
        page.wait_for_timeout(3000)  # glass and words are of one moment
        page.screenshot(path=str(Path(folder) / name))


def test_every_wiring_scenario_of_the_guide_reports_as_on_the_unix_port(page):
    for row in page.evaluate("openkh.scenarios()"):
        until_us = row["items"][-1][1] + 20_000_000
        report = "([config, items, until]) => openkh.report(config, items, until)"
        final = page.evaluate(report, [row["config"], row["items"], until_us])
        on_page, on_desk = compared(final), on_unix(row["config"], row["items"], until_us)
        assert on_page == on_desk, row["name"]


def test_a_wiring_fault_is_made_shown_and_explained(page):
    page.select_option("#scenario", "crossed_180")
    page.click("text=60 x")
    expect(page.locator("#words")).to_contain_text("arrow to the left", timeout=LATEST_MS)
    expect(page.locator("#says")).to_contain_text("backwards on line 1", timeout=LATEST_MS)
    assert "CT1: on line 2" in page.get_attribute("#drawing svg", "aria-label")
    page.click("text=10 x")
    expect(page.locator("#words")).to_contain_text("Err rC1", timeout=LATEST_MS)
    picture(page, "web_crossed.png")


def test_the_load_is_metered_and_the_mains_can_be_cut(page):
    page.click("text=60 x")
    expect(page.locator("#clock")).to_contain_text("0:02:", timeout=LATEST_MS)
    picture(page, "web.png")
    page.click("#mains")
    expect(page.locator("#words")).to_have_text("The glass is dark", timeout=LATEST_MS)
    page.click("#mains")
    expect(page.locator("#words")).to_contain_text("kWh", timeout=LATEST_MS)
    assert "power_up" in page.inner_text("#log")


def test_the_keyboard_alone_works(page):
    page.keyboard.press("Tab")
    seen = set()
    for _ in range(40):
        seen.add(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        page.keyboard.press("Tab")
    assert {"language", "service", "scenario", "mains", "short12v", "again", "day", "ask", "log"} <= seen
    page.focus("#ask")
    page.keyboard.press("Enter")
    assert page.is_visible("#cover") and not page.is_visible("#drawing")
    page.keyboard.press("Enter")  # the first answer has the focus
    expect(page.locator("#verdict")).to_contain_text(":", timeout=LATEST_MS)
    assert page.is_visible("#drawing")


@pytest.mark.parametrize("language", lessons.LANGUAGES)
def test_each_language_fits_a_telephone_and_names_every_control(page, language):
    page.set_viewport_size({"width": 390, "height": 900})
    page.select_option("#language", language)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.documentElement.lang") == language
    controls = "[...document.querySelectorAll('button, select, input')]"
    nameless = ".filter((e) => !(e.labels?.[0] ?? e).textContent.trim()).map((e) => e.outerHTML)"
    assert page.evaluate(controls + nameless) == []


def test_every_answer_of_the_question_is_judged(page):
    for _ in range(3):
        page.click("#ask")
        page.click("#answers button >> nth=1")
        told = page.inner_text("#verdict")
        assert told.startswith(("Right:", "No, it is:"))
        assert page.locator("#answers .was").count() == 1
