"""The page of the service, in a browser where there is one: Chromium, driven by playwright."""

import json
import os
import re
import shutil

import pytest
from processes import ROOT
from service import Server, export_models

PAGE = ROOT / "albert_zh" / "serving" / "page"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
SIZES = {"phone": (390, 844), "desktop": (1280, 800)}


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return export_models(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def server(paths):
    server = Server(paths)
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="driving a browser needs the package playwright"
    )
    if CHROMIUM is None:
        pytest.skip("there is no chromium to open the page in")
    root = ["--no-sandbox"] if os.getuid() == 0 else []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=root)
        yield browser
        browser.close()


class Visit:
    """The page, opened in a browser; what it complains about is an error."""

    def __init__(self, browser, server, *, language="en-US", size="desktop"):
        width, height = SIZES[size]
        self.context = browser.new_context(
            locale=language, viewport={"width": width, "height": height}
        )
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.set_default_timeout(60_000)
        self.page.goto(f"http://127.0.0.1:{server.port}/")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.context.close()

    def choose(self, model, question) -> None:
        self.page.select_option("#model", model)
        self.page.select_option("#endpoint", question)

    def fill(self, *texts) -> None:
        areas = self.page.locator("#fields textarea")
        assert areas.count() == len(texts)
        for number, text in enumerate(texts):
            areas.nth(number).fill(text)

    def ask(self):
        with self.page.expect_response("**/v1/models/**"):
            self.page.click("#send")
        return self.answer()

    def answer(self):
        self.page.wait_for_selector("#send:enabled")
        return self.page.locator("#result")


def test_page_uses_nothing_from_outside(server):
    status, page = server.ask("GET", "/")
    assert status == 200
    for name in re.findall(r'(?:src|href)="([^"]+)"', page.decode()):
        assert server.ask("GET", f"/{name}")[0] == 200
    for path in PAGE.iterdir():
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text


def test_page_says_everything_in_both_languages():
    script = (PAGE / "page.js").read_text(encoding="utf-8")
    english, chinese = (
        set(re.findall(r"(\w+): \"", script.partition(f"  {name}: {{")[2].partition("\n  }")[0]))
        for name in ("en", "zh")
    )
    assert english == chinese
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    assert set(re.findall(r'data-text="(\w+)"', page)) <= english


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_every_question_is_answered(browser, server, language, size):
    asked = json.loads(server.ask("GET", "/v1/models")[1])["models"]
    with Visit(browser, server, language=language, size=size) as visit:
        for model in asked:
            for question in model["endpoints"]:
                visit.choose(model["name"], question)
                answer = visit.ask()
                assert answer.locator("[role=alert]").count() == 0, answer.inner_text()
                assert (
                    answer.locator("p")
                    .last.inner_text()
                    .endswith("ms" if language == "en-US" else "毫秒")
                )
                width = visit.page.evaluate("document.documentElement.scrollWidth")
                assert width <= SIZES[size][0]
        assert not visit.page.locator("#token-field").is_visible()
        assert visit.complaints == []


def test_language_changes_and_texts_stay(browser, server):
    with Visit(browser, server) as visit:
        page = visit.page
        visit.choose("pairs", "similarity")
        visit.fill("一丁", "丁七")
        page.click("#language")
        assert page.get_attribute("html", "lang") == "zh"
        assert page.inner_text("#send") == "提交"
        values = [area.input_value() for area in page.locator("#fields textarea").all()]
        assert values == ["一丁", "丁七"]
        page.click("#language")
        assert (page.get_attribute("html", "lang"), page.inner_text("#send")) == ("en", "Ask")


def test_candidates_and_probabilities_are_those_of_the_service(browser, server):
    text = "一[MASK]丁[MASK]"
    with Visit(browser, server) as visit:
        visit.choose("words", "fill_mask")
        visit.fill(text)
        answer = visit.ask()
        (masks,) = server.outputs("words/fill_mask", inputs=[text])
        rows = [row for candidates in masks for row in candidates]
        shown = answer.locator(".bar")
        assert shown.count() == len(rows)
        for number, row in enumerate(rows):
            name, share = (
                shown.nth(number).locator(tag).inner_text() for tag in ("span", "output")
            )
            assert (name, share) == (row["token"], f"{100 * row['probability']:.1f} %")


def test_marked_parts_are_at_their_place(browser, server):
    text = "😀一丁七万"  # JavaScript counts two characters for the first one.
    with Visit(browser, server) as visit:
        visit.choose("tags", "predict")
        visit.fill(text)
        answer = visit.ask()
        (found,) = server.outputs("tags/predict", inputs=[text])
        shown = [mark.inner_text() for mark in answer.locator("mark").all()]
        parts = sorted(found["prediction"], key=lambda part: part["start"])
        assert shown == [text[part["start"] : part["end"]] + part["type"] for part in parts]
        visit.choose("pairs", "explain")
        visit.fill(text, "丁")
        answer = visit.ask()
        marks = answer.locator(".text mark")
        assert "".join(marks.all_inner_texts()) == text + "丁"
        (found,) = server.outputs("pairs/explain", input=[text, "丁"])
        for mark, part in zip(marks.all(), found["contributions"], strict=True):
            assert mark.get_attribute("class") == ("against" if part["value"] < 0 else "for")


def test_keyboard_is_enough(browser, server):
    with Visit(browser, server) as visit:
        page = visit.page
        visit.choose("words", "fill_mask")
        page.locator("#model").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.name") == "masked"
        page.keyboard.press("Control+a")
        page.keyboard.insert_text("一[MASK]")
        with page.expect_response("**/fill_mask"):
            page.keyboard.press("Control+Enter")
        assert visit.answer().locator(".bar").count() == 5
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "send"


def test_mistakes_are_told(browser, server):
    with Visit(browser, server) as visit:
        visit.choose("words", "fill_mask")
        visit.fill("一丁")
        alert = visit.ask().locator("[role=alert]")
        assert "there is no [MASK] to fill in" in alert.inner_text()
        visit.fill("")
        visit.page.click("#send")  # The browser asks for a text.
        assert visit.page.locator("textarea:invalid").count() == 1
        visit.fill("<b>一</b>[MASK]<script>alert(1)</script>")
        assert visit.ask().locator(".bar").count() == 5


def test_late_answers_do_not_replace_newer_ones(browser, server):
    with Visit(browser, server) as visit:
        page = visit.page
        visit.choose("words", "fill_mask")
        visit.fill("一[MASK]")
        held = []
        page.route("**/fill_mask", lambda route: held.append(route))
        area = page.locator("#fields textarea")
        with page.expect_request("**/fill_mask"):
            area.press("Control+Enter")
        area.press("Control+Enter")  # The first one is not answered yet.
        page.wait_for_timeout(100)
        assert len(held) == 1
        visit.choose("pairs", "similarity")
        held[0].continue_()
        assert visit.answer().inner_text() == ""  # It belongs to another form.
        assert visit.ask().locator(".bar").count() == 1


@pytest.mark.parametrize("size", [(320, 600), *SIZES.values()])
def test_long_words_stay_in_the_window(browser, server, size):
    with Visit(browser, server) as visit:
        visit.page.set_viewport_size({"width": size[0], "height": size[1]})
        visit.choose("pairs", "rank")
        visit.fill("一丁", "\n".join(["averyveryverylongword" * 8, *"一丁七万丈三上下不" * 2]))
        assert visit.ask().locator(".bar").count() == 19
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= size[0]


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (502, "<html>Bad gateway", "status 502: <html>Bad gateway"),
        (500, "{}", "status 500: {}"),
        (422, '{"detail": {"a": 1}}', "status 422"),
        (422, '{"detail": [{"msg": "too short"}]}', "too short"),
    ],
)
def test_any_answer_is_told(browser, server, status, body, message):
    with Visit(browser, server) as visit:
        visit.choose("words", "fill_mask")
        visit.page.route("**/fill_mask", lambda route: route.fulfill(status=status, body=body))
        assert message in visit.ask().locator("[role=alert]").inner_text()


def test_answers_are_marked_where_they_stand(browser, server):
    context = "他生于1920年，有2个孩子。"
    place = context.index("2个")
    answer = {"prediction": "2", "start": place, "end": place + 1, "score": 1.0}
    with Visit(browser, server) as visit:
        visit.choose("passages", "predict")
        visit.fill("几个孩子？", context)
        body = json.dumps({"model": "passages", "outputs": [answer]})
        visit.page.route("**/predict", lambda route: route.fulfill(body=body))
        assert visit.ask().locator(".text").inner_html() == "他生于1920年，有<mark>2</mark>个孩子。"


def test_token_is_asked_for(browser, paths, monkeypatch):
    monkeypatch.setenv("ALBERT_ZH_TOKEN", "secret")
    server = Server(paths)
    with Visit(browser, server) as visit:
        page = visit.page
        page.wait_for_selector("#token-field", state="visible")
        page.fill("#token", "wrong")
        with page.expect_response("**/v1/models"):
            page.keyboard.press("Tab")
        page.fill("#token", "secret")
        with page.expect_response("**/v1/models"):
            page.keyboard.press("Tab")
        visit.choose("words", "fill_mask")
        assert visit.ask().locator(".bar").count() == 5
        assert server.stop() == 0
        page.click("#send")
        page.wait_for_selector("[role=alert]")
        assert page.inner_text("[role=alert]") == "The service does not answer."
