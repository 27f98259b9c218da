"""Where lines may and may not end in a page."""

from evalkit.report.documents.typography import parted, pieces, unbroken


def test_what_is_read_as_one_word_is_held_together():
    html = '<td title="p = 0.2">2 (−2 to 5)</td><p>p = 0.248 in 2016–17, p &lt; 0.001 by SHA-256</p>'
    held = unbroken(html)
    for words in ("2 (−2 to 5)", "p = 0.248", "2016–17", "p &lt; 0.001", "SHA-256"):
        assert f'<span class="whole">{words}</span>' in held
    assert 'title="p = 0.2"' in held  # what stands inside a tag is left as it is
    assert held.replace('<span class="whole">', "").replace("</span>", "") == html


def test_a_long_address_ends_a_line_after_its_signs_only():
    address = "https://www.gov.uk/some-page?a=b"
    assert pieces(address) == ["https://", "www.", "gov.", "uk/", "some-", "page?", "a=", "b"]
    assert unbroken(f"<p>{address}</p>") == f"<p>{'<wbr>'.join(pieces(address))}</p>"


def test_parts_are_the_text():
    text = "from 0.02 to 1.86, or −1 to 2%; p = 0.1"
    assert "".join(part for part, _ in parted(text)) == text
    assert [part for part, is_whole in parted(text) if is_whole] == ["0.02 to 1.86", "−1 to 2%", "p = 0.1"]


def test_no_word_is_added():
    assert unbroken("<p>Plain words</p>") == "<p>Plain words</p>"
