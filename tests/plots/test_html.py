"""Text of files in a page."""

import pytest

from tfp_bvae.plots.html import page, tag


@pytest.mark.parametrize("text", ["<script>", "half \ud800", "\x00\x1b[31m", "\u202e", "'\"&"])
def test_any_text_is_a_page(text):
    found = page(text, tag("p", text, title=text))
    found.encode("utf-8")
    assert "<script" not in found and "\x1b" not in found and "\u202e" not in found
    assert "\x00" not in found


def test_lines_and_letters_stay():
    assert tag("p", "a\nb é λ") == "<p>a\nb é λ</p>"
