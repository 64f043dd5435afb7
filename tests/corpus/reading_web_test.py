"""Pages of the web and Parquet give the documents that plain text gives."""

import gzip
import io

import pytest

from tests.corpus import raw_files, reading_checks

ZH = raw_files.SIMPLIFIED


def page(paragraphs, charset="utf-8", title="Title"):
    """A page with what surrounds an article."""
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="{charset}">'
        f"<title>{title}</title><script>var a = 'not this';</script>"
        "<style>p {color: red}</style></head><body>"
        '<header><nav><ul><li><a href="/">HOME</a></li><li><a href="/n">'
        'News</a></li></ul></nav></header><div class="article-content">'
        + "".join(f"<p>{line}</p>\n" for line in paragraphs)
        + '</div><div class="share">Share</div><div id="comments"><p>Nice '
        'post!</p></div><aside class="sidebar"><a href="x">More</a></aside>'
        "<footer>Copyright 2020</footer></body></html>"
    )


def warc(records):
    """Records of WARC: (kind, type of content, bytes)."""
    out = io.BytesIO()
    for i, (kind, content_type, data) in enumerate(records):
        out.write(
            (
                f"WARC/1.0\r\nWARC-Type: {kind}\r\n"
                f"WARC-Target-URI: http://example.org/{i}\r\n"
                "WARC-Date: 2020-01-01T00:00:00Z\r\n"
                f"WARC-Record-ID: <urn:uuid:{i:08}-0000-0000-0000-{i:012}>\r\n"
                f"Content-Type: {content_type}\r\n"
                f"Content-Length: {len(data)}\r\n\r\n"
            ).encode()
            + data
            + b"\r\n\r\n"
        )
    return out.getvalue()


def response(body, content_type="text/html", extra=""):
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{extra}"
    return (
        "response",
        "application/http; msgtype=response",
        f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body,
    )


@pytest.mark.parametrize("charset", ["utf-8", "gb2312", "gb18030", "big5"])
@pytest.mark.parametrize("packing", ["bare", "gz", "tar.gz"])
def test_the_main_text_of_a_page_is_its_document(tmp_path, charset, packing):
    pytest.importorskip("resiliparse")
    documents = raw_files.TRADITIONAL if charset == "big5" else ZH
    for (_, some), text in zip(
        documents, raw_files.texts(documents), strict=True
    ):
        data = page(some * 3, charset).encode(charset)
        reading_checks.check(
            tmp_path / "a",
            raw_files.PACKINGS[packing](data),
            ["\n".join([text] * 3)],
        )


def test_pages_of_warc_are_documents_and_the_rest_is_noted(tmp_path):
    pytest.importorskip("fastwarc")
    pytest.importorskip("resiliparse")
    pages = [page(some * 3) for _, some in ZH]
    packed = gzip.compress(pages[2].encode())
    records = [
        ("warcinfo", "application/warc-fields", b"software: x\r\n"),
        response(pages[0].encode()),
        ("request", "application/http; msgtype=request", b"GET / HTTP/1.1\r\n"),
        response(b"\x89PNG\r\n\x1a\n", "image/png"),
        response(
            pages[1].replace('<meta charset="utf-8">', "").encode("gbk"),
            "text/html; charset=gbk",
        ),
        response(packed, extra="Content-Encoding: gzip\r\n"),
    ]
    wanted = ["\n".join([text] * 3) for text in raw_files.texts(ZH)]
    for data in (
        warc(records),
        gzip.compress(warc(records)),
        b"".join(gzip.compress(warc([record])) for record in records),
    ):
        left_out = reading_checks.check(tmp_path / "a", data, wanted)
        assert left_out == {"document_web_not_text": 1}


def test_texts_of_wet_are_documents(tmp_path):
    pytest.importorskip("fastwarc")
    data = warc(
        [
            ("conversion", "text/plain", text.encode())
            for text in raw_files.texts(ZH)
        ]
    )
    reading_checks.check(tmp_path / "a", data, raw_files.texts(ZH))
    documents, tally, _ = reading_checks.read(tmp_path / "a")
    assert documents[1].source == f"{tmp_path}/a http://example.org/1"
    for size in range(1, 80, 13):
        (tmp_path / "a").write_bytes(data[: -size - 18])
        documents, tally, _ = reading_checks.read(tmp_path / "a")
        assert (
            reading_checks.paragraphs(documents)[:2] == raw_files.texts(ZH)[:2]
        )
        assert "file_corrupt" in dict(tally)


@pytest.mark.parametrize("packing", ["bare", "gz", "zip", "tar.gz"])
@pytest.mark.parametrize("column", ["text", "content", "story"])
def test_parquet(tmp_path, packing, column):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    out = io.BytesIO()
    texts = raw_files.texts(ZH * 200)
    table = {"id": list(range(len(texts))), "url": ["http://a"] * len(texts)}
    parquet.write_table(arrow.table({**table, column: texts}), out)
    data = raw_files.PACKINGS[packing](out.getvalue())
    reading_checks.check(tmp_path / "a", data, texts)
