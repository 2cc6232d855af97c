"""From what was seen to what is found: each with its file and line, and with what would have been executed instead."""

from collections.abc import Iterator
from pathlib import Path

from alembic.script import Script

from alembic_online.alembic_seam import parents_of
from alembic_online.audit.env_py import line_of_models
from alembic_online.audit.examine import Examined
from alembic_online.audit.rules import REWRITE, RULES, STALL, broken
from alembic_online.formats import report
from alembic_online.formats.report import Finding, Level
from alembic_online.postgres.catalogue import describe
from alembic_online.review.lint.rule import Found, Revision, Rule
from alembic_online.review.lint.source import Source

MODELS = report.Rule(
    "models",
    Level.WARNING,
    "Models and database are not the same: queries fail, or autogenerate writes what nobody meant.",
    "The catalogue at the head was held against that which the models make.",
    "alembic revision --autogenerate, or correct the models",
)
REFUSED = report.Rule(
    "refused",
    Level.NOTE,
    "The toolkit does not carry this revision out.",
    "Plain Alembic does; what is in the way is said.",
    "what the sentence says",
)
_BY_STEPS = (STALL, REWRITE)


def rules() -> list[report.Rule]:
    """All that is looked for."""
    return [*(_shown(rule, level) for rule, level in RULES), MODELS, REFUSED]


def findings(seen: Examined) -> Iterator[Finding]:
    """All of them, along the chain."""
    levels = dict(RULES)
    for script in seen.chain:
        for rule, found in _of_revision(seen, script):
            sql = _instead(seen, script, found.line) if rule in _BY_STEPS else ()
            instead = found.remedy or rule.remedy
            file = relative(seen, Path(script.path))
            yield Finding(_shown(rule, levels[rule]), script.revision, file, found.line, found.what, instead, sql)
        if said := seen.instead.refused.get(script.revision):
            problem, _, remedy = said.partition("\n")
            yield Finding(REFUSED, script.revision, relative(seen, Path(script.path)), 1, problem, remedy)
    if seen.differences:
        env = Path(seen.scripts.dir) / "env.py"
        said = f"The models and the head differ. From the head to the models:\n{describe(seen.differences)}"
        yield Finding(MODELS, "", relative(seen, env), line_of_models(env), said, MODELS.remedy)


def relative(seen: Examined, path: Path) -> str:
    """As seen from the project's folder."""
    path = path.resolve()
    return path.relative_to(seen.folder).as_posix() if path.is_relative_to(seen.folder) else path.as_posix()


def message(script: Script) -> str:
    """The first line of its docstring."""
    return (script.doc or "").partition("\n")[0]


def _of_revision(seen: Examined, script: Script) -> Iterator[tuple[Rule, Found]]:
    trial = seen.plain.trials.get(script.revision)
    if trial is None:
        return
    path = Path(script.path)
    try:
        source = Source.read(path)
        _ = source.tree
    except (SyntaxError, UnicodeDecodeError):  # its import has failed, and says so
        source = Source(path, "")
    direct = frozenset(getattr(script.module, "direct", {}))
    yield from broken(Revision(script.revision, parents_of(script), source, trial, direct=direct, sizes=seen.sizes))


def _instead(seen: Examined, script: Script, line: int) -> tuple[str, ...]:
    """What the toolkit executes for this line; all of the revision where the line is not known."""
    traced = seen.instead.statements.get(script.revision, ())
    of_line = [each for each in traced if each.line == line]
    return tuple(dict.fromkeys(each.sql for each in of_line or traced))


def _shown(rule: Rule, level: Level) -> report.Rule:
    return report.Rule(rule.code, level, rule.danger, rule.reason, rule.remedy)
