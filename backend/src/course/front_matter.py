"""The head of a Markdown file, between two lines of three dashes: YAML, checked, each error with its line."""

from pathlib import Path
from typing import Annotated, Any, TypeVar

import frontmatter
import yaml
from frontmatter.default_handlers import YAMLHandler
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from src.course.errors import CourseInvalid
from src.db.enums import DifficultyLevel
from src.db.storable import Storable

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), Storable]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), Storable]


class FrontMatter(BaseModel):
    """What a module, a chapter and a translation have in common; in a module's file, and a translation's, it is all."""

    model_config = ConfigDict(extra="forbid")

    title: Title
    description: Annotated[str, StringConstraints(strip_whitespace=True), Storable] = ""
    published: bool = True


class ChapterFrontMatter(FrontMatter):
    """What a chapter has besides."""

    difficulty: DifficultyLevel = DifficultyLevel.INTERMEDIATE
    minutes: int = Field(default=60, gt=0, le=2**31 - 1)
    objectives: list[Line] = []


SomeHead = TypeVar("SomeHead", bound=FrontMatter)

_LARGEST = 1_000_000
"""Bytes of a file: some 300 pages."""


class _Texts(YAMLHandler):
    """YAML whose values stay texts, for the model to read: YAML's own reading of `2024-13-45` is a ValueError.

    Not by the loader in C: forty thousand brackets end the process there.
    """

    def load(self, fm: str, **_: Any) -> Any:
        return yaml.load(fm, Loader=yaml.BaseLoader)


def read_markdown(path: Path, model: type[SomeHead]) -> tuple[SomeHead, str]:
    """The head of the file, as `model`, and the Markdown after it. Raises `CourseInvalid`."""
    text = _text(path)
    if not text.startswith("---\n"):
        raise CourseInvalid(path, 1, "it does not begin with front matter", f"Begin it with:\n{_example(model)}")
    if "\n---\n" not in f"{text[3:]}\n":
        raise CourseInvalid(path, 1, "the front matter does not end", "Close it with a line of three dashes.")
    try:
        values, body = frontmatter.parse(text, handler=_Texts())
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1  # counted from 0, with the dashes
        raise CourseInvalid(
            path, line, f"this is not YAML ({error.problem})", "Quote a text that holds a colon."
        ) from None
    except RecursionError:
        problem = "its front matter nests too deeply"
        raise CourseInvalid(path, 1, problem, f"Write it as:\n{_example(model)}") from None
    except yaml.YAMLError:
        problem = "its front matter holds a character that YAML does not allow"
        raise CourseInvalid(path, 1, problem, "Remove it, or write its code in double quotes.") from None
    try:
        return model.model_validate(values), body
    except ValidationError as error:
        raise _invalid(path, text, error, model) from None


def _text(path: Path) -> str:
    data = _bytes(path)
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CourseInvalid(path, line, "a byte in it is not UTF-8", "Save the file as UTF-8.") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise CourseInvalid(path, line, "it holds a zero byte", "Remove it; PostgreSQL stores none.")
    return text


def _bytes(path: Path) -> bytes:
    try:
        if not path.exists():
            raise CourseInvalid(path, None, "it leads nowhere", "Remove this link, or mend it.")
        if not path.is_file():  # a pipe would be waited for
            raise CourseInvalid(path, None, "it is no file", "Rename it, or put a Markdown file in its place.")
        if path.stat().st_size > _LARGEST:
            raise CourseInvalid(path, None, f"it is larger than {_LARGEST // 1_000_000} MB", "Divide the chapter.")
        return path.read_bytes()
    except OSError as error:
        raise CourseInvalid(path, None, f"it cannot be read ({error.strerror})", "Look at its rights.") from None


def _invalid(path: Path, text: str, error: ValidationError, model: type[FrontMatter]) -> CourseInvalid:
    first: Any = error.errors(include_url=False)[0]
    key = str(first["loc"][0])
    lines = text.splitlines()
    line = next((number for number, content in enumerate(lines, 1) if content.startswith(f"{key}:")), 1)
    if first["type"] == "extra_forbidden":
        return CourseInvalid(path, line, f"{key} is not known here", f"Use {', '.join(model.model_fields)}.")
    if first["type"] == "missing":
        return CourseInvalid(path, line, f"{key} is missing", f"Add a line {key}: ... to the front matter.")
    return CourseInvalid(path, line, f"{key} does not fit", f"{first['msg'].removeprefix('Value error, ')}.")


def _example(model: type[FrontMatter]) -> str:
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    return "\n".join(["---", *(f"{name}: ..." for name in required), "---"])
