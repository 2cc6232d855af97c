"""The pages that the code alone can tell: settings, exit codes, verbs and lint rules."""

import ast
import inspect
from argparse import Action, ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import Field, fields
from difflib import unified_diff
from itertools import pairwise

from alembic_online import errors, policy
from alembic_online.cli.main import VERBS
from alembic_online.cli.verb import Verb
from alembic_online.policy import PREFIX, Policy
from alembic_online.postgres.errors import UserError
from alembic_online.review.lint.allowances import ALLOWANCE
from alembic_online.review.lint.rule import Rule
from alembic_online.review.lint.rules import RULES
from tests.alembic_online.own_project import adopted as by_one_line
from tests.alembic_online.projects.shapes import SHAPES, Shape
from tests.alembic_online.review.lint.cases import CASES, TEXTS, Case

MADE_BY = "<!-- Made from the code by `python -m tests.documents.generate` in backend/; do not edit. -->"

_SETTINGS = """\
Each setting is a variable of the environment, or a field of the `Policy` that `env.py` passes to `run_environment`.
Settings that contradict each other are refused, before anything is changed.

A connection of your own (`config.attributes["connection"]`) gets none of these limits.
To wait and try again means to roll back, and your transaction is not ours to roll back.
Set a limit yourself (`SET LOCAL lock_timeout = '2s'`), and begin again on SQLSTATE `55P03`.
"""
_EXIT_CODES = """\
What is refused is said in at most eight lines on stderr: what is wrong, then what to do next.
`alembic --raiseerr ...` shows the whole traceback. In a program the class is raised instead.
[What to do when something is refused](../how-to/when-it-is-refused.md) goes through the common ones.
"""
_REFUSED = "../how-to/when-it-is-refused.md"
_NEXT = {
    10: "Correct the URL.",
    11: "Start the server, or correct the host.",
    12: "Correct role or password, or grant the right that is named.",
    13: "Do what the message says.",
    14: f"[Several heads]({_REFUSED}#two-people-made-a-revision-at-the-same-time), or mend the file that is named.",
    15: f"[The code is too old]({_REFUSED}#the-database-is-at-revision-which-is-not-among-the-files-of-this-code), or"
    f" [no revision]({_REFUSED}#the-database-has-tables-of-this-project-and-no-revision), or `alembic upgrade head`.",
    16: "Ask for one of the names that are shown.",
    17: f"[See who is in the way]({_REFUSED}#database-locked), then the same command again.",
    18: f"[Correct the rows]({_REFUSED}#rows-in-the-way) or the file, then the same command again.",
    19: "[Consent](../how-to/undo.md#the-downgrade-of-destroys-data), or stay.",
    20: "`alembic revision --autogenerate`, or correct the models.",
    21: "[Run its command](../how-to/backfill.md#when-it-takes-long), then the upgrade again.",
    22: "Install the extra that is named.",
    23: "Nothing, or [wait or force](../how-to/expand-and-contract.md#5-deploy); then the same command again.",
}
_STOPPED = "Ctrl-C or SIGTERM. The statement was cancelled; it says at which step, and where the database is."
_ELSEWHERE = (
    ("0", "", "Fine.", ""),
    ("1, 2", "the verbs'", "1: `alembic-online VERB` found something. 2: it could not run, and says why.", ""),
    ("2", "Alembic's own", "Wrong arguments.", "`alembic --help`"),
    ("130, 143", "`Stopped`", _STOPPED, "The same command again."),
    ("255", "Alembic's own", "No configuration in this folder.", "Go to the one that has `alembic.ini`, or say `-c`."),
)
_VERBS = """\
What Alembic has no command for. Run it where you run `alembic`, on the same database.
`python -m alembic_online VERB` does the same as `alembic-online VERB`, and `VERB --help` has the options too.
Each verb takes `-x NAME=VALUE`, which is for `env.py`, as with `alembic`.

The exit code is 0 where all is well, 1 where something was found, and 2 where it could not run.
"""
_ADOPTED = """\
These are twelve `env.py` files as people have them, and what each changes to [adopt](../how-to/adopt.md) the toolkit.
It is one line, two where offline mode has a block of its own, and the import.

Tests upgrade each project by plain Alembic and by `online(context)`, and compare the two databases, rows too.
They go down again, write a revision for a change of the models, and give that one to plain Alembic.
"""
_LINT = """\
`alembic-online lint` looks for these. [How to review a revision](../how-to/review.md) says how it is used.

A comment in the revision makes an exception, and says why: `# lint: allow RULE because ...`.
"""


def settings() -> str:
    """A row for each field of `Policy`."""
    said = _docstrings_of_fields()
    rows = [(f"`{PREFIX}{each.name.upper()}`", _default(each), said[each.name]) for each in fields(Policy)]
    return _page("Settings", _SETTINGS, _table(("variable", "default", "what it is"), rows))


def exit_codes() -> str:
    """A row for each class of error, and for what is not ours."""
    classes = {error.exit_code: error for error in _subclasses(UserError) if vars(error).get("exit_code")}
    del classes[errors.Stopped.exit_code]  # which is two codes, one for each signal
    rows = [(str(code), f"`{error.__name__}`", _docstring(error), _NEXT[code]) for code, error in classes.items()]
    ordered = sorted([*rows, *_ELSEWHERE], key=lambda row: int(row[0].partition(",")[0]))
    return _page("Exit codes", _EXIT_CODES, _table(("code", "class", "what happened", "what to do"), ordered))


def adopted() -> str:
    """A section for each of the twelve projects of the tests: what of its env.py is changed."""
    return _page("Twelve projects", _ADOPTED, *map(_adopted, SHAPES))


def _adopted(shape: Shape) -> str:
    env = (shape.folder / "env.py").read_text(encoding="utf-8")
    changes = "".join([*unified_diff(env.splitlines(True), by_one_line(env).splitlines(True), n=4)][2:])
    return f"## {shape.title}\n\n{shape.what}\n\n```diff\n{changes}```"


def verbs() -> str:
    """A section for each verb, with its arguments."""
    return _page("Verbs", _VERBS, *[_verb(each) for each in sorted(VERBS, key=lambda verb: verb.name)])


def lint() -> str:
    """A section for each rule: the danger, a revision that is found, and what to write instead."""
    return _page("Lint rules", _LINT, *map(_rule, (*RULES, ALLOWANCE)))


def _verb(verb: Verb) -> str:
    parser = ArgumentParser()
    verb.add_arguments(parser)
    arguments = [each for each in parser._actions if each.dest != "help"]
    rows = [(_written(each), each.help or "") for each in arguments]
    return f"## {verb.name}\n\n{_sentence(verb.help)}\n\n{_table(('argument', 'what it does'), rows)}"


def _written(argument: Action) -> str:
    value = f" {argument.metavar or argument.dest.upper()}" if argument.nargs != 0 else ""
    return f"`{argument.option_strings[-1]}{value}`" if argument.option_strings else f"`{value.strip()}`"


def _rule(rule: Rule) -> str:
    found = next((each for each in (*CASES, *TEXTS) if each.breaks == rule.code), None)
    parts = [f"## {rule.code}", f"{rule.danger}\n{rule.reason}"]
    if found is not None:
        parts.append(f"Found, for example:\n\n```python\n{_revision(found)}\n```")
    return "\n\n".join([*parts, f"Instead: `{rule.remedy}`"])


def _revision(case: Case) -> str:
    """What a case has beyond the empty revision."""
    up, down, top = (part.format(t="books") for part in (case.upgrade, case.downgrade, case.top))
    message = "" if case.message == Case.message else f'"""{case.message}"""'
    functions = [f"def {name}():\n    {_lines(body)}" for name, body in (("upgrade", up), ("downgrade", down))]
    return "\n\n\n".join(filter(None, (message, top, *functions)))  # as ruff formats it, here too


def _lines(body: str) -> str:
    return body.replace("; op.", "\n    op.").replace(";op.", "\n    op.")


def _default(field: "Field[object]") -> str:
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    if isinstance(field.default, float | int):
        return f"`{field.default:.10g}`"
    return f"`{field.default}`" if field.default else ""


def _docstrings_of_fields() -> dict[str, str]:
    """What stands under each field in the file: Python does not keep it."""
    tree = ast.parse(inspect.getsource(policy))
    (body,) = [node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == Policy.__name__]
    said = {}
    for field, below in pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                said[name] = " ".join(words.split())
    return said


def _subclasses(error: type[UserError]) -> Iterator[type[UserError]]:
    for each in error.__subclasses__():
        if each.__module__.startswith("alembic_online."):
            yield from (each, *_subclasses(each))


def _docstring(error: type[UserError]) -> str:
    return " ".join((inspect.getdoc(error) or "").split())


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", MADE_BY, *(part.strip() for part in parts)]) + "\n"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    cells = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in cells)
