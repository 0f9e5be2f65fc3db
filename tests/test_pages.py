"""Reports and documentation in a browser, as people open them.

The pages of the documentation are tested if SKFASHION_TEST_DOCS names the folder of a build:
``sphinx-build docs DIR && SKFASHION_TEST_DOCS=DIR pytest tests/test_pages.py``.
"""

import functools
import http.server
import os
import re
import shutil
import threading
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import pytest
from playwright.sync_api import sync_playwright
from sklearn.ensemble import RandomForestClassifier

from skfashion.datasets import load_fashion_sample
from skfashion.evaluation import evaluate_classifier

DOCS = os.environ.get("SKFASHION_TEST_DOCS")
SCREENS = {
    "desktop": {"viewport": {"width": 1300, "height": 800}},
    "phone": {"viewport": {"width": 375, "height": 800}, "is_mobile": True},
}


@pytest.fixture(scope="module")
def browser():
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        # Chromium's own sandbox is refused in containers; the pages are ours.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def screens(browser):
    """Browser windows, which keep the scripts and styles that pages share."""
    contexts = [browser.new_context(**screen) for screen in SCREENS.values()]
    yield contexts
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def docs_address():
    """Where the documentation is served."""
    handler = functools.partial(QuietHandler, directory=DOCS)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


# What reaches beyond the right edge of a sheet of paper, which does not scroll.
CUT_OFF = """[...document.querySelectorAll('body *')]
    .filter(element => element.getBoundingClientRect().right > window.innerWidth)
    .map(element => element.outerHTML.slice(0, 80))"""


def find_problems(page, address, root):
    """What a person would stumble over on a page."""
    problems = []
    page.on("console", lambda m: m.type == "error" and problems.append(f"console: {m.text}"))
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.on("response", lambda r: r.ok or problems.append(f"status {r.status}: {r.url}"))
    page.on("requestfailed", lambda request: problems.append(f"not loaded: {request.url}"))
    page.on(
        "request",
        lambda request: (
            request.url.startswith((root, "data:", "blob:"))
            or problems.append(f"fetched from elsewhere: {request.url}")
        ),
    )
    page.goto(address)
    # Pictures further down load when they are scrolled to.
    page.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
    page.evaluate("Promise.all([...document.images].map(image => image.decode().catch(() => 0)))")
    broken = page.evaluate(
        "[...document.images].filter(image => !image.naturalWidth).map(image => image.src)"
    )
    problems += [f"picture: {address[:80]}" for address in broken]
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    if widths[0] > widths[1]:
        problems.append(f"scrolls sideways: {widths[0]} of {widths[1]} pixels are seen")
    return problems


@pytest.mark.parametrize("screen", SCREENS.values(), ids=SCREENS)
@pytest.mark.parametrize("kind", ["network", "forest"])
def test_report(kind, screen, browser, fitted, digits, tmp_path):
    if kind == "network":
        evaluate_classifier(fitted, *digits, output_dir=tmp_path)
        n_pictures = 5  # matrix, calibration, three curves
        n_errors = int((fitted.predict(digits[0]) != digits[1]).sum())
    else:
        train, test = load_fashion_sample(), load_fashion_sample(subset="test")
        names = [f"a rather long name for the class {name}" for name in train.target_names]
        forest = RandomForestClassifier(10, random_state=0).fit(train.data, train.target)
        evaluate_classifier(forest, test.data, test.target, output_dir=tmp_path, target_names=names)
        n_pictures, n_errors = 2, 20
    address = (tmp_path / "report.html").as_uri()
    page = browser.new_page(**screen, offline=True)
    assert find_problems(page, address, address) == []
    assert page.locator("h1").inner_text().endswith("test images are classified right")
    assert page.locator("img").count() == n_pictures + min(n_errors, 20) + 20
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1123})  # A4
    assert page.evaluate(CUT_OFF) == []
    page.close()


def list_pages():
    """Those of the documentation, without the source code that they link to."""
    if DOCS is None:
        return []
    names = [path.relative_to(DOCS).as_posix() for path in sorted(Path(DOCS).rglob("*.html"))]
    return [name for name in names if not name.startswith(("_modules/", "_static/"))]


@pytest.mark.skipif(DOCS is None, reason="needs a build of the documentation, named as said above")
def test_size_of_the_gallery():
    assert len([name for name in list_pages() if name.startswith("auto_examples/plot_")]) >= 10


@pytest.mark.parametrize("name", list_pages())
def test_page_of_the_documentation(name, screens, docs_address):
    for screen in screens:
        page = screen.new_page()
        assert find_problems(page, urljoin(docs_address, name), docs_address) == []
        links = page.evaluate("[...document.querySelectorAll('a[href]')].map(link => link.href)")
        page.close()
    own = {link.removeprefix(docs_address) for link in links if link.startswith(docs_address)}
    assert [link for link in sorted(own) if leads_nowhere(link)] == []


def leads_nowhere(link):
    """Whether there is no such page, or no such place on it."""
    name, place = map(unquote, urldefrag(link))
    path = Path(DOCS, name)
    if path.is_dir():
        path /= "index.html"
    return not path.is_file() or (bool(place) and place not in read_places(path))


@functools.cache
def read_places(path):
    """What a link can lead to on a page."""
    return set(re.findall(r'\bid="([^"]+)"', path.read_text(encoding="utf-8")))
