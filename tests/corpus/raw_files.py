"""A few documents, and every form, packing and encoding to write them in."""

import bz2
import csv
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from xml.sax.saxutils import escape

import pytest

# Each is a title and paragraphs; no line is the title of another document.
SIMPLIFIED = [
    (
        "春天的河",
        [
            "三月里，河面上的冰化了。孩子们跑到岸边，看见水里有几条小鱼在游。",
            "“快来看！”小明喊道。他的妹妹慢慢走过来，手里还拿着一个苹果。",
        ],
    ),
    (
        "A short walk",
        [
            "We left the house at 8.30 a.m. and walked to the old mill.",
            "Nobody was there, so we sat down and ate our bread in silence.",
            "Then it began to rain, and we ran home as fast as we could.",
        ],
    ),
    (
        "打印机",
        ["这台打印机每分钟能打印30页。它用的是黑色墨水，价格不到一千元。"],
    ),
]
TRADITIONAL = [
    (
        "山中的茶",
        [
            "這裡的茶葉長在高山上，霧氣濃厚，所以葉子特別嫩，香氣也特別長。",
            "採茶的人天還沒亮就出門，到了中午才背著竹籃回來，個個滿頭大汗。",
        ],
    ),
    (
        "圖書館",
        [
            "圖書館週一休息。其他日子早上九點開門，晚上八點關門，請準時歸還書籍。"
        ],
    ),
]


def texts(documents):
    """What reading them must give."""
    return ["\n".join(paragraphs) for _, paragraphs in documents]


def blank_lines(documents):
    return "\n\n".join(texts(documents)) + "\n"


def json_lines(documents, field="text"):
    return "".join(
        json.dumps({"id": i, "title": title, field: text}, ensure_ascii=False)
        + "\n"
        for i, ((title, _), text) in enumerate(
            zip(documents, texts(documents), strict=True)
        )
    )


def json_ascii(documents):
    return "".join(
        json.dumps({"text": text}) + "\n" for text in texts(documents)
    )


def json_array(documents):
    records = [{"content": text} for text in texts(documents)]
    return json.dumps(records, ensure_ascii=False, indent=1)


def json_row(documents):
    """An array in one line."""
    return json.dumps([{"body": x} for x in texts(documents)])


def json_nested(documents):
    """As SQuAD has it."""
    return json.dumps(
        {
            "version": "1.1",
            "data": [
                {
                    "title": title,
                    "paragraphs": [{"context": x, "qas": []} for x in some],
                }
                for title, some in documents
            ],
        },
        ensure_ascii=False,
    )


def questions(documents):
    """As webtext2019zh has it: the title and the description are text."""
    return "".join(
        json.dumps(
            {
                "qid": f"qid_{i}",
                "title": some[0],
                "desc": "\n".join(some[1:2]),
                "topic": "生活",
                "content": "\n".join(some[2:]),
            },
            ensure_ascii=False,
        )
        + "\n"
        for i, (_, some) in enumerate(documents)
    )


def wiki_docs(documents):
    """As WikiExtractor writes it."""
    return "".join(
        f'<doc id="{i}" url="https://zh.wikipedia.org/wiki?curid={i}" '
        f'title="{escape(title)}">\n{title}\n\n'
        + "\n\n".join(map(escape, some))
        + "\n\n</doc>\n"
        for i, (title, some) in enumerate(documents)
    )


_PAGE = """  <page>
    <title>{title}</title>
    <ns>{namespace}</ns>
    <id>1</id>
    {redirect}
    <revision>
      <id>2</id>
      <model>wikitext</model>
      <format>text/x-wiki</format>
      <text bytes="1" xml:space="preserve">{text}</text>
    </revision>
  </page>
"""


def page(title, text, namespace=0, redirect=""):
    return _PAGE.format(
        title=escape(title),
        text=escape(text, {'"': "&quot;"}),
        namespace=namespace,
        redirect=redirect,
    )


def wiki_dump(documents):
    """As MediaWiki exports it, with pages that are no articles."""
    pages = [
        page(
            title,
            f"{{{{Infobox|name={title}}}}}\n'''"
            + "'''\n\n".join(some)
            + f"<ref>{{{{cite|title=x}}}}</ref>\n\n[[Category:{title}]]\n",
        )
        for title, some in documents
    ]
    pages.insert(1, page("Talk:甲", "天地", namespace=1))
    pages.insert(
        1, page("乙", "#REDIRECT [[丙]]", redirect='<redirect title="丙" />')
    )
    return (
        '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" '
        'version="0.11" xml:lang="zh">\n  <siteinfo>\n    '
        "<sitename>Wikipedia</sitename>\n  </siteinfo>\n"
        + "".join(pages)
        + "</mediawiki>\n"
    )


def _table(documents, dialect):
    out = io.StringIO()
    rows = csv.writer(out, dialect)
    rows.writerow(["id", "title", "content"])
    for i, (title, some) in enumerate(documents):
        rows.writerow([i, title, "\n".join(some)])
    return out.getvalue()


def comma_table(documents):
    return _table(documents, "excel")


def tab_table(documents):
    return _table(documents, "excel-tab")


FORMS = {
    function.__name__: function
    for function in (
        blank_lines,
        json_lines,
        json_ascii,
        json_array,
        json_row,
        json_nested,
        questions,
        wiki_docs,
        wiki_dump,
        comma_table,
        tab_table,
    )
}


def _zipped(data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/", b"")
        archive.writestr("a/one", data)
    return out.getvalue()


def _tarred(data, mode="w"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        folder = tarfile.TarInfo("a")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        member = tarfile.TarInfo("a/" + "很长的名字" * 40)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def _halves(pack):
    """Packs two halves, one after the other, as parallel packers do."""

    def packed(data):
        half = len(data) // 2
        return pack(data[:half]) + pack(data[half:])

    return packed


def _zstd(data):
    zstandard = pytest.importorskip("zstandard")
    return _halves(zstandard.ZstdCompressor().compress)(data)


PACKINGS = {
    "bare": bytes,
    "gz": gzip.compress,
    "gz of two": _halves(gzip.compress),
    "bz2": bz2.compress,
    "bz2 of two": _halves(bz2.compress),
    "xz": lzma.compress,
    "zst": _zstd,
    "zip": _zipped,
    "tar": _tarred,
    "tar.gz": lambda data: _tarred(data, "w:gz"),
    "tar.bz2": lambda data: _tarred(data, "w:bz2"),
    "tar.xz": lambda data: _tarred(data, "w:xz"),
    "gz in tar": lambda data: _tarred(gzip.compress(data)),
    "zip in tar.gz": lambda data: _tarred(_zipped(data), "w:gz"),
    "tar in zip": lambda data: _zipped(_tarred(data)),
}
ENCODINGS = {
    "utf-8": SIMPLIFIED + TRADITIONAL,
    "utf-8-sig": SIMPLIFIED + TRADITIONAL,
    "utf-16": SIMPLIFIED + TRADITIONAL,
    "utf-16-le": SIMPLIFIED + TRADITIONAL,
    "utf-16-be": SIMPLIFIED + TRADITIONAL,
    "gb18030": SIMPLIFIED,
    "big5": TRADITIONAL,
}
