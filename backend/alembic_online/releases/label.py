"""What a process says of itself in `application_name`: its product, its release, and the revision it was built for.

    PRODUCT/RELEASE@REVISION HOST        shop/2026.11.2@041_add_email web-3

PostgreSQL keeps 63 bytes of it (NAMEDATALEN - 1) and, from version 16 on, writes what is not ASCII as `\\xNN`. Every
role may read it of every session, and PgBouncer hands it on.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

LONGEST = 63
"""Bytes that PostgreSQL keeps."""
_REVISION_BYTES = 44
_HASH = "~"
_IDS = re.compile(r"[\w.+:=()#-]+(,[\w.+:=()#-]+)*", re.ASCII)
_OTHER = re.compile(r"[^\w.+:=()#/ -]", re.ASCII)
# PgBouncer's application_name_add_host adds " - host:port".
_LABEL = re.compile(r"(?P<product>[^/@]+)/(?P<release>[^@]*)@(?P<heads>\S+)(?: (?!-)(?P<host>\S+))?")


@dataclass(frozen=True, slots=True)
class Label:
    """A process that says what it is."""

    product: str
    """The first word names the product; another one may say which part of it this is."""
    release: str
    """Empty where nobody has said it."""
    heads: str
    """The revision it was built for, or several with commas between, as `written` writes them."""
    host: str = ""
    """Left out where there is no room."""

    @classmethod
    def of(cls, product: str, release: str, heads: Iterable[str], host: str = "") -> "Label":
        """A label that fits: the release is cut where it must be, then the product, and the revision never is."""
        revision = written(heads)
        room = LONGEST - len(f"/@{revision}")
        product = _product(product)[:room]
        release = _plain(release)[: room - len(product)]
        label = cls(product, release, revision, _plain(host).replace(" ", "-"))
        return label if len(str(label)) <= LONGEST else cls(product, release, revision)

    @classmethod
    def read(cls, application_name: str) -> "Label | None":
        """What a session says; None where it says something else."""
        if (found := _LABEL.match(application_name)) is None:
            return None
        return cls(found["product"], found["release"], found["heads"], found["host"] or "")

    def __str__(self) -> str:
        return f"{self.product}/{self.release}@{self.heads}{f' {self.host}' if self.host else ''}"

    def is_of(self, product: str) -> bool:
        """Whether it belongs to this product; every one does where none is named.

        Of a label without a byte to spare the product may be cut: it belongs to whatever begins like it.
        """
        word = _product(product)
        if not product or self.product == word or self.product.startswith(f"{word} "):
            return True
        return not self.host and len(str(self)) == LONGEST and word.startswith(self.product)


def written(heads: Iterable[str]) -> str:
    """Revisions as a label has them: in full where they are plain and short, else each as the hash of its id."""
    listed = sorted(heads)
    full = ",".join(listed)
    if full and len(full) <= _REVISION_BYTES and _IDS.fullmatch(full):
        return full
    return ",".join(map(_hashed, listed)) if 0 < len(listed) <= 4 else _hashed(full)


def known(revisions: Iterable[str], heads: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Each of `revisions` by the words that a label may have for it, and `heads` by the one that it has for them all.

    Of five or more revisions a label has only one hash. Those of another release stay unknown, and are waited for.
    """
    each_alone = {words: (each,) for each in revisions for words in (each, _hashed(each))}
    listed = sorted(heads)
    return {_hashed(",".join(listed)): tuple(listed), **each_alone}


def _hashed(revision: str) -> str:
    return f"{_HASH}{hashlib.sha256(revision.encode()).hexdigest()[:8]}"


def _product(text: str) -> str:
    return _plain(text).replace("/", "-") or "app"


def _plain(text: str) -> str:
    """Nothing that PostgreSQL would write otherwise, or that means something here or in SQL."""
    return _OTHER.sub("-", text.strip())
