"""The page, as text and in a real browser."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from brqos.errors import ConfigurationError
from brqos.explain.compare import Side, changes
from brqos.explain.page import bar, page, write_page
from brqos.memoryqos.kubelet import CgroupMemory
from explain.browser import Browser
from explain.inputs import FOUR_PODS, explained, node

HOSTILE = '<img src=x onerror="window.bad = 1">"\'</script><script>window.bad = 1</script>'


def hostile_page() -> str:
    text = f"kind: Pod\nmetadata: {{name: {quoted(HOSTILE)}, namespace: {quoted(HOSTILE)}}}\n"
    text += f"spec: {{containers: [{{name: {quoted(HOSTILE)}}}]}}\n"
    return page([(HOSTILE, explained(text))])


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def plain_page() -> str:
    return page([("", explained(FOUR_PODS))])


@pytest.mark.parametrize(
    ("memory", "parts"),
    [
        (CgroupMemory(min=100, high=300, max=400), (25, 0, 50, 25)),
        (CgroupMemory(low=100, high=300, max=400), (0, 25, 50, 25)),
        (CgroupMemory(), (0, 0, 100, 0)),
        (CgroupMemory(high=300), (0, 0, 75, 25)),
        (CgroupMemory(min=800, max=800), (100, 0, 0, 0)),
    ],
)
def test_the_parts_of_a_bar_are_shares_of_the_node(memory: CgroupMemory, parts: tuple[float, ...]) -> None:
    found = bar(memory, 400)
    assert (found.hard, found.soft, found.free, found.throttled) == parts
    assert found.unlimited == (memory.max == "max")


def test_nothing_is_fetched_from_anywhere() -> None:
    text = plain_page()
    assert re.findall(r'(?:src|href|action)="([^"]*)"', text) == ["data:,"]
    assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttpRequest", text)
    assert "default-src 'none'" in text


def test_names_stay_text() -> None:
    text = hostile_page()
    assert "<img" not in text
    assert text.count("<script>") == 1


def test_only_a_page_of_ours_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "sub" / "page.html"
    write_page(file, plain_page())
    write_page(file, plain_page())
    manifest = tmp_path / "deploy.yaml"
    manifest.write_text("kind: Pod\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is no page of brqos"):
        write_page(manifest, plain_page())
    assert manifest.read_text(encoding="utf-8") == "kind: Pod\n"
    with pytest.raises(ConfigurationError):
        write_page(tmp_path, plain_page())


@pytest.fixture
def browser(tool: Callable[[str], Path], tmp_path: Path) -> Browser:
    return Browser(tool("chromium"), tmp_path)


@pytest.mark.processes
def test_in_a_browser_it_shows_sorts_filters_and_enlarges(browser: Browser) -> None:
    script = """
      const rows = () => [...document.querySelectorAll("table.containers tbody tr")];
      const name = (row) => row.cells[0].textContent.split("/")[1].split(/app/)[0];
      const names = () => rows().filter((row) => row.offsetParent !== null).map(name).join(" ");
      const headers = [...document.querySelectorAll("table.containers thead th")];
      const button = (number) => headers[number].querySelector("button");
      say(names());
      button(5).click(); say("high: " + names() + " " + headers[5].getAttribute("aria-sort"));
      button(5).click(); say("high: " + names() + " " + headers[5].getAttribute("aria-sort"));
      button(0).click(); say("name: " + names());
      const bars = [...document.querySelectorAll(".bar")];
      const wide = (part, bar) => Math.round(1000 * part.getBoundingClientRect().width / bar.clientWidth) / 10;
      const share = (bar) => [...bar.children].map((part) => wide(part, bar));
      say(JSON.stringify(bars.map((bar) => bar.getAttribute("aria-label"))));
      say(JSON.stringify(share(bars[3])));
      const zoom = document.querySelector(".zoom"); zoom.click();
      say("enlarged " + share(bars[1]).reduce((one, other) => one + other));
      const search = document.querySelector("input[type=search]");
      search.value = "BURST"; search.dispatchEvent(new Event("input")); say("filter: " + names());
    """
    said = browser.after(plain_page(), script).splitlines()
    assert said[0] == "guaranteed burstable no-limit best-effort"
    assert said[1] in (
        "high: guaranteed best-effort no-limit burstable descending",
        "high: best-effort guaranteed no-limit burstable descending",
    )
    assert said[2].startswith("high: burstable no-limit")
    assert said[3] == "name: best-effort burstable guaranteed no-limit"
    assert "memory.min 100Mi, memory.low 0, memory.high 190Mi, memory.max 200Mi" in said[4]
    hard, free, throttled = map(float, said[5].strip("[]").split(","))
    assert hard == pytest.approx(100 * 100 / 7168, abs=0.2)
    assert free == pytest.approx(100 * (6775058432 - 100 * 2**20) / 7516192768, abs=0.2)
    assert throttled == pytest.approx(100 - hard - free, abs=1)
    assert float(said[6].split()[1]) == pytest.approx(100, abs=1)
    assert said[7] == "filter: burstable"


@pytest.mark.processes
def test_in_a_browser_names_stay_text(browser: Browser) -> None:
    script = """
      say(String(window.bad)); say(document.images.length);
      say(document.querySelector("table.containers strong").textContent);
    """
    assert browser.after(hostile_page(), script).splitlines() == ["undefined", "0", HOSTILE]


@pytest.mark.processes
def test_on_a_phone_nothing_is_cut_off(browser: Browser) -> None:
    script = """
      const root = view.document.documentElement;
      say(String(root.scrollWidth <= view.innerWidth));
      const all = [...view.document.querySelectorAll("body *")];
      const wide = all.filter((one) => one.getBoundingClientRect().right > view.innerWidth + 1);
      say(wide.map((one) => one.tagName + "." + one.className).join(" "));
      say(view.getComputedStyle(view.document.querySelector("table.containers tr:last-child")).display);
      const select = view.document.querySelector("select");
      select.value = "6"; select.dispatchEvent(new view.Event("change"));
      say(view.document.querySelector("table.containers tbody tr").cells[6].textContent);
    """
    said = browser.in_frame(plain_page(), script, width=360).split("\n")
    assert said == ["true", "", "block", "max"]


@pytest.mark.processes
def test_it_can_be_printed(browser: Browser) -> None:
    assert browser.pdf(plain_page()).startswith(b"%PDF")


@pytest.mark.processes
def test_a_comparison_has_a_section_for_each_side(browser: Browser) -> None:
    sides = [Side("gate off", explained(FOUR_PODS, node(gate=False))), Side("gate on", explained(FOUR_PODS))]
    text = page([(side.label, side.explanation) for side in sides], changes(sides))
    script = """
      say(document.querySelectorAll("table.changes tbody tr")[1].cells[4].textContent);
      for (const section of document.querySelectorAll("section")) {
        section.querySelectorAll("thead th")[3].querySelector("button").click();
        const first = section.querySelector("tbody tr").cells[0].textContent.trim();
        say(section.querySelector("h2").textContent + ": " + first);
      }
    """
    assert browser.after(text, script).splitlines() == [
        "memory.min 100Mi; throttling at memory.high 190Mi",
        "gate off: default/guaranteedapp",
        "gate on: default/guaranteedapp",
    ]
