"""The markup of Wikipedia becomes text, as its own parser reads it."""

import bz2
import collections
import contextlib
import importlib.util
import pathlib
import re
import time

import pytest

from corpus.reading import wiki_markup, wiki_variants, wikipedia
from corpus.reading.config import ReadingSettings
from tests.corpus import raw_files, reading_checks

PLAIN = {
    "'''数学'''是[[科学|学科]]。": "数学是学科。",
    "'''''粗斜'''''和''斜''。": "粗斜和斜。",
    "前<ref>来源</ref>后<ref name=a />。": "前后。",
    "前<ref name=a>甲<ref>乙</ref>丙</ref>后": "前后",
    "前{{模板|甲|{{乙|丙}}}}后": "前后",
    "前\n{| class=x\n|-\n| 甲 || {{乙}}\n{|\n| 丙\n|}\n|}\n后": "前\n后",
    "[[File:A.jpg|thumb|一张[[图]]片]]正文[[Category:甲]]": "正文",
    "[[文件:A.jpg|缩略图]][[分类:甲]][[en:B]]正文": "正文",
    "参见[[:Category:甲]]。": "参见Category:甲。",
    "<!-- 注 -->正文<!-- 没完": "正文",
    "[http://a.b/c 甲]和[http://a.b]和http://a.b/d": "甲和和http://a.b/d",
    "== 标题 ==\n正文\n=== 空 ===\n== 也空 ==\n": "标题\n正文",
    "== 甲 ==\n=== 乙 ===\n正文": "甲\n乙\n正文",
    "* 甲\n** 乙\n# 丙\n: 丁\n; 戊": "甲\n乙\n丙\n丁\n戊",
    "甲&nbsp;乙&amp;nbsp;丙&lt;丁": "甲\xa0乙\xa0丙<丁",
    "甲<br/>乙<span style='a'>丙</span>": "甲\n乙丙",
    "__TOC__正文__NOEDITSECTION__": "正文",
    "山（{{lang-en|x}}，）高": "山高",
    "{{lang|en|Mountain}}高": "Mountain高",
    "{{link-en|山|Mountain}}高": "山高",
    "<math>a^2</math>和<gallery>\nFile:A.jpg|x\n</gallery>": "和",
    "----\n正文": "正文",
    # What is not closed swallows nothing.
    "前{{模板|甲\n\n后文": "前模板|甲\n后文",
    "前[[链接\n\n后文": "前链接\n后文",
    "前<ref>后文": "前后文",
    "{|\n后文": "后文",
    "前}}后]]文": "前后文",
    "a < b 且 c > d": "a < b 且 c > d",
    "if (x) { y[0] = 1; }": "if (x) { y[0] = 1; }",
}


@pytest.mark.parametrize("markup", PLAIN)
def test_markup_becomes_text(markup):
    assert wiki_markup.plain(markup, "zh-hans") == PLAIN[markup]


VARIANTS = {
    "-{zh-hans:计算机;zh-hant:電腦}-": ("计算机", "電腦"),
    "-{zh-hans:计算机; zh-hant:電腦;}-": ("计算机", "電腦"),
    "-{zh-cn:博客;zh-tw:部落格;zh-hk:網誌}-": ("博客", "部落格"),
    "-{zh:甲;zh-hant:乙}-": ("甲", "乙"),
    "-{zh-hk:網誌;zh-tw:部落格}-": ("網誌", "部落格"),
    "-{乾}-": ("乾", "乾"),
    "-{A|zh-cn:博客;zh-tw:部落格}-": ("博客", "部落格"),
    "-{H|zh-cn:博客;zh-tw:部落格}-": ("", ""),
    "-{T|zh-cn:博客;zh-tw:部落格}-": ("", ""),
    "-{R|zh-cn:甲}-": ("zh-cn:甲", "zh-cn:甲"),
    "-{zh-hans;zh-hant|乾}-": ("乾", "乾"),
    "-{|zh-hans:甲;zh-hant:乙}-": ("甲", "乙"),
    "-{zh-hans:&lt;甲&gt;;zh-hant:乙}-": ("&lt;甲&gt;", "乙"),
    "-{zh-hans:-{zh-hans:甲;zh-hant:乙}-;zh-hant:丙}-": ("甲", "丙"),
    "-{没完": ("-{没完", "-{没完"),
    "a-{b": ("a-{b", "a-{b"),
}


@pytest.mark.parametrize("markup", VARIANTS)
def test_variants_are_resolved_to_the_one_of_the_flag(markup):
    hans, hant = VARIANTS[markup]
    text = f"前{markup}后"
    assert wiki_variants.resolve(text, "zh-hans") == f"前{hans}后"
    assert wiki_variants.resolve(text, "zh-hant") == f"前{hant}后"
    linked = wiki_markup.plain(f"[[甲|{markup}]]", "zh-hans")
    # A link without words shows what it leads to.
    if hans and "没完" not in markup and "a-{b" not in markup:
        assert linked == hans.replace("&lt;", "<").replace("&gt;", ">")


def test_the_variant_of_the_flag_comes_out_of_wikis_files(tmp_path):
    documents = [
        ("博客", ["-{zh-cn:博客;zh-tw:部落格}-是一种网站，写的人很多。"])
    ]
    for form in (raw_files.wiki_docs, raw_files.wiki_dump):
        for variant, word in (("zh-hans", "博客"), ("zh-tw", "部落格")):
            settings = ReadingSettings(wiki_variant=variant)
            reading_checks.check(
                tmp_path / "a",
                form(documents).encode(),
                [f"{word}是一种网站，写的人很多。"],
                settings,
            )


_MISTAKES = ("{{", "[[", "-{", "<ref>", "[http://", "'", "==", "<!--")
_MISTAKES += ("{|\n", "__", "__A", "（", "&", "*", "<a ", "= ", " ", "[[{{")
_MISTAKES += ("-{zh:", "<ref name=", "zh", "-{zhzh", "&amp;", "{{|", "\n=")


@pytest.mark.parametrize("mistake", _MISTAKES)
def test_mistakes_of_authors_take_time_in_proportion(mistake):
    begin = time.process_time()
    wiki_markup.plain(f"a{mistake * 20_000}b\n{mistake * 20_000}", "zh-hans")
    wiki_variants.resolve(mistake * 20_000, "zh-hans")
    assert time.process_time() - begin < 5


def _dump():
    """A dump of the English Wikipedia that comes with pip's gensim."""
    found = importlib.util.find_spec("gensim")
    if found is None:
        pytest.skip("gensim, which brings a dump of Wikipedia, is absent")
    folder = pathlib.Path(found.origin).parent / "test" / "test_data"
    (path,) = folder.glob("enwiki-latest-pages-articles1*.bz2")
    return path


def _words(text):
    return collections.Counter(re.findall(r"\w+", text))


@pytest.mark.slow
def test_the_words_of_articles_are_those_mwparserfromhell_finds():
    parser = pytest.importorskip("mwparserfromhell")
    path = _dump()
    documents, tally, _ = reading_checks.read(path)
    assert len(documents) == 106
    assert dict(tally)["document_page_redirect"].num == 99
    text = bz2.decompress(path.read_bytes()).decode()
    pages = [page for page in text.split("</page>") if "<redirect" not in page]
    pages = [page for page in pages if "<ns>0</ns>" in page]
    num_words = num_only_ours = num_only_theirs = 0
    for page, document in zip(pages, documents, strict=True):
        code = parser.parse(wikipedia._unescape(wikipedia._last_text(page)))
        for tag in code.filter_tags():
            dropped = r"ref|references|math|gallery|timeline|table|t[dhr]|score"
            if re.fullmatch(dropped, str(tag.tag).strip().lower()):
                _remove(code, tag)
        for link in code.filter_wikilinks():
            if wiki_markup._NAMESPACE.match(str(link.title)):
                _remove(code, link)
        ours, theirs = _words(document.text), _words(code.strip_code())
        num_words += ours.total()
        num_only_ours += (ours - theirs).total()
        num_only_theirs += (theirs - ours).total()
    # Ours has the words of {{lang}}; theirs those of headings without text.
    assert num_only_ours < 0.02 * num_words
    assert num_only_theirs < 0.01 * num_words


def _remove(code, node):
    # It may have gone with another that it was in.
    with contextlib.suppress(ValueError):
        code.remove(node)
