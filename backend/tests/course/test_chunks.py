"""Chunks are texts of a size, each below its heading, and nothing of the text is lost."""

from src.course.chunks import chunks


def test_paragraphs_below_one_heading_stand_together() -> None:
    html = (
        "<p>Before.</p><h2>Locks &amp; <em>keys</em></h2><p>One   <b>two</b>\nthree.</p><ul><li>four</li><li>five</ul>"
    )
    assert chunks("Tables", html) == ["Tables\nBefore.", "Tables: Locks & keys\nOne two three.\nfour\nfive"]


def test_a_long_text_is_cut_between_words_and_loses_none() -> None:
    words = [f"word{number}" for number in range(2_000)]
    made = chunks("T", f"<p>{' '.join(words)}</p>")
    assert len(made) > 10
    assert all(len(chunk) <= 1_300 for chunk in made)
    assert " ".join(chunk.removeprefix("T\n").replace("\n", " ") for chunk in made).split() == words


def test_many_paragraphs_are_filled_up_to_the_size() -> None:
    made = chunks("T", "<p>" + "</p><p>".join(["x" * 300] * 9) + "</p>")
    assert [chunk.count("\n") for chunk in made] == [4, 4, 1]


def test_a_chapter_without_text_has_no_chunk() -> None:
    assert chunks("Tables", "") == chunks("Tables", "<p> </p><script>text()</script><h2>Alone</h2>") == []


def test_broken_html_is_read_as_far_as_it_goes() -> None:
    assert chunks("T", "one <p>two <b>three") == ["T\none\ntwo three"]
