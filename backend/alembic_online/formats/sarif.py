"""SARIF 2.1.0 (OASIS), which code scanners of git hosts show beside the line."""

from collections import Counter
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from alembic_online.formats.report import Finding, Report, Rule

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"


def sarif(report: Report, prefix: str = "") -> dict[str, Any]:
    """The log, with one run. `prefix` leads from the root of the repository to the folder of the report."""
    codes = [rule.code for rule in report.rules]
    seen: Counter[tuple[str, str, str]] = Counter()
    results = []
    for finding in report.findings:
        key = finding.rule.code, finding.file, finding.what
        results.append(_result(finding, codes.index(finding.rule.code), prefix, seen[key]))
        seen[key] += 1
    notifications = [{"level": "warning", "message": {"text": remark}} for remark in report.remarks]
    driver = {
        "name": f"alembic-online {report.verb}",
        "semanticVersion": _three_parts(report.version),
        "rules": [_rule(rule) for rule in report.rules],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notifications}],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.danger},
        "fullDescription": {"text": f"{rule.danger} {rule.reason}"},
        "help": {"text": f"Instead: {rule.remedy}", "markdown": f"{rule.reason}\n\nInstead: `{rule.remedy}`"},
        "defaultConfiguration": {"level": rule.level.value},
    }


def _result(finding: Finding, index: int, prefix: str, again: int) -> dict[str, Any]:
    instead = "\n".join(finding.statements) or finding.instead
    uri = quote("/".join(filter(None, (prefix.strip("/"), finding.file))))
    place = {
        "artifactLocation": {"uri": uri, "uriBaseId": _ROOT},
        "region": {"startLine": finding.line},
    }
    # Not by the line: whoever adds one above has not made another finding.
    print_ = sha256("\0".join((finding.rule.code, finding.revision, finding.what, str(again))).encode()).hexdigest()
    return {
        "ruleId": finding.rule.code,
        "ruleIndex": index,
        "level": finding.rule.level.value,
        "message": {"text": f"{finding.what}\nInstead: {instead}"},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"finding/v1": print_},
    }


def _three_parts(version: str) -> str:
    """A semantic version has three numbers."""
    numbers = [part for part in version.split(".")[:3] if part.isdigit()]
    return ".".join([*numbers, "0", "0", "0"][:3])
