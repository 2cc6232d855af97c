"""Every format says the same, whatever stands in a name, a file or a statement."""

import re

import pytest

from alembic_online.formats.html import page
from alembic_online.formats.markdown import LONGEST, MARK, markdown
from alembic_online.formats.report import Finding, Level, Report, Rule
from alembic_online.formats.sarif import sarif
from tests.alembic_online.formats.standards import holds_to_the_standard, needs_nothing_else

HOSTILE = '"><script>alert(1)</script> | `x` **b** </details> [a](http://example.org) <!-- & ```\n```\nnext line'
RULES = [
    Rule("stall", Level.ERROR, "It stands still.", "A lock.", "`less` | more <b>"),
    Rule("undo", Level.NOTE, "It leaves something.", "Nobody looked.", "both ways"),
    Rule("unused", Level.WARNING, "Nothing.", "Never.", "nothing"),
]
FINDINGS = [
    Finding(RULES[1], "a1", "versions/a b%.py", 3, HOSTILE, HOSTILE),
    Finding(RULES[0], "b2", "versions/b|2.py", 7, "It scans books.", "other", (HOSTILE, "SELECT 1")),
    Finding(RULES[0], "b2", "versions/b|2.py", 9, "It scans books.", "other"),
]


def report(findings: list[Finding] | None = None) -> Report:
    found = FINDINGS if findings is None else findings
    return Report("audit", "1.2.dev3", f"Audit of {HOSTILE}", "Much.", RULES, found, [HOSTILE], {"Tables": HOSTILE})


def test_the_page_needs_nothing_but_itself() -> None:
    seen = needs_nothing_else(page(report(), [("Own", "<p>more</p>")]))
    assert HOSTILE.partition("\n")[0] in seen.text
    ids = [attributes["id"] or "" for _, attributes in seen.tags if "id" in attributes]
    links = [(attributes["href"] or "").removeprefix("#") for tag, attributes in seen.tags if tag == "a"]
    assert sorted(links) == sorted(ids) == ["rule-stall", "rule-undo"]
    assert "Nothing was found." in needs_nothing_else(page(report([]), [])).text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read(scheme: str) -> None:
    """WCAG 2.2, 1.4.3: text has a contrast of 4.5 at the least, in both schemes, on both grounds."""
    light, dark = re.findall(r":root \{(.*?)\}", page(report(), []), re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#\w{6})", light if scheme == "light" else dark))
    for name in ("ink", "faint", "error", "warning", "note", "fine", "accent"):
        for ground in ("ground", "card"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)


def contrast(one: str, other: str) -> float:
    bright, dim = sorted(map(luminance, (one, other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_sarif_is_as_the_standard_has_it() -> None:
    log = sarif(report(), "services/shop")
    holds_to_the_standard(log)
    places = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in log["runs"][0]["results"]]
    assert places[0] == "services/shop/versions/a%20b%25.py"
    assert len(places) == len(FINDINGS)
    holds_to_the_standard(sarif(report([])))


def test_a_line_above_makes_no_other_finding() -> None:
    moved = [Finding(each.rule, each.revision, each.file, each.line + 5, each.what) for each in FINDINGS]
    prints = [
        [each["partialFingerprints"] for each in sarif(report(found))["runs"][0]["results"]]
        for found in (FINDINGS, moved)
    ]
    assert prints[0] == prints[1]


def test_markdown_is_one_comment_that_is_found_again() -> None:
    text = markdown(report())
    assert text.splitlines()[0] == MARK.format(verb="audit")
    assert text.count("<details>") == text.count("\n</details>") == len(FINDINGS)
    outside = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert not re.search(r"(?<!\\)<(?!/?(details|summary|b|code)\b|!-- alembic-online)", outside)
    rows = [line for line in outside.splitlines() if line.startswith("|")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [5, 5, 5, 5]


def test_a_comment_is_never_too_long() -> None:
    many = [Finding(RULES[0], "a", "a.py", 1, "x" * 2000) for _ in range(100)]
    text = markdown(report(many))
    assert len(text) <= LONGEST
    shown = text.count("<details>")
    assert 20 < shown < 100
    assert f"and {100 - shown} more: `alembic-online audit` shows all of them." in text
