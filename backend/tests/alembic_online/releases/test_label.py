"""Promise: what a process says of itself fits into PostgreSQL's 63 bytes, and is read back as it was meant."""

import pytest

from alembic_online.releases.label import LONGEST, Label, known, written

LONG = "2026_11_30_1200-add_the_email_address_to_every_customer"


@pytest.mark.parametrize(
    ("product", "release", "heads", "says"),
    [
        ("shop", "2026.11.2", ["041_add_email"], "shop/2026.11.2@041_add_email web-3"),
        ("shop", "", ["ae1027a6acf"], "shop/@ae1027a6acf web-3"),
        ("shop reads", "feature/x", ["b", "a"], "shop reads/feature/x@a,b web-3"),
        ("a/b@c", "v1@2 '\\", ["a"], "a-b-c/v1-2 --@a web-3"),
        ("shop", "r" * 99, ["a" * 32], "shop/rrrrrrrrrrrrrrrrrrrrrrrrr@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("p" * 99, "r" * 99, ["a"], f"{'p' * 60}/@a"),
        ("shop", "1", ["ü"], "shop/1@~607474ca web-3"),
        ("shop", "1", [], "shop/1@~e3b0c442 web-3"),
    ],
)
def test_a_label_fits_and_is_read_back(product: str, release: str, heads: list[str], says: str) -> None:
    label = Label.of(product, release, heads, "web-3")
    assert str(label) == says
    assert len(says) <= LONGEST
    assert Label.read(says) == label
    assert Label.read(f"{says} - 10.0.0.1:4711"[:LONGEST]) is not None  # PgBouncer's application_name_add_host


@pytest.mark.parametrize(
    "heads", [["a"], [LONG], ["x" * 30, "y" * 30], ["a", "b", "c"], [LONG, "ä"], [*map(str, range(5))]]
)
def test_a_revision_of_any_length_is_known_again(heads: list[str]) -> None:
    meant = known([*heads, "another"], heads)
    assert {revision for words in written(heads).split(",") for revision in meant[words]} == {*heads}


@pytest.mark.parametrize(
    ("product", "release", "heads"),
    [
        ("shop reads", "1", ["a"]),
        ("customer-notifications", "4f3e2d1c0b9a8f7e6d5c4b3a29181706f5e4d3c2", ["041_add_email_to_customers"]),
        ("the-notifications-of-all-customers", "1", ["041_add_email_to_customers"]),
        ("shop@eu/reads", "7", ["a"]),
        ("ü", "7", ["a"]),
        ("", "7", ["a"]),
    ],
)
def test_a_label_belongs_to_the_product_it_was_written_for(product: str, release: str, heads: list[str]) -> None:
    label = Label.read(str(Label.of(product, release, heads, "web-3")))
    assert label is not None
    assert label.is_of(product)
    assert not label.is_of("another")


@pytest.mark.parametrize("name", ["", "psql", "gunicorn: master", "a/b", "user@host", "PostgreSQL JDBC Driver"])
def test_another_name_is_no_label(name: str) -> None:
    assert Label.read(name) is None


def test_a_label_with_the_address_that_a_pooler_adds_has_no_host() -> None:
    assert Label.read("shop/1@a - 10.0.0.1:4711") == Label("shop", "1", "a")
