"""Wikipedia to documents: what WikiExtractor wrote, and MediaWiki's dumps."""

import re
from collections.abc import Iterator

from corpus.document import Document
from corpus.reading import parts, rules, wiki_markup, wiki_variants
from corpus.reading.content import Content
from corpus.reading.plain import plain_lines

DOC_END = re.compile(rb"</doc>")
PAGE_END = re.compile(rb"</page>")
_DOC = re.compile(r"<doc\b([^\n]*)>[ \t\r]*(?:\n|\Z)")
_TITLE_OF = re.compile(r'\btitle="((?:[^"]|"(?!\s+\w+=|\s*$))*)"')
_PAGE = b"<page"
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
_NAMESPACE = re.compile(r"<ns>\s*(-?\d+)\s*</ns>")
_REDIRECT = re.compile(r"<redirect\b")
_REDIRECT_TEXT = re.compile(
    r"\s*#\s*(?:redirect|重定向|重新導向)\s*[:：]?\s*\[\[", re.IGNORECASE
)
_TEXT = re.compile(r"<text\b[^>]*?(?:/>|>(.*?)</text>)", re.DOTALL)
_MODEL = re.compile(r"<model>(.*?)</model>")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&"))


def _unescape(text):
    for entity, char in _ENTITIES:  # That of & last, as it makes others.
        text = text.replace(entity, char)
    return text


def _whole(content, mark, decoder):
    """Yields the place and text of records that are not too long."""
    is_long = False
    found = parts.split(content.stream, mark, part_bytes=rules.MAX_RECORD_BYTES)
    for place, data, is_last in found:
        if is_last and not is_long:
            yield place, decoder.text(data, place)
        elif not is_long:
            shown = decoder.text(decoder.beginning(data), place)
            content.note("document_record_too_long", shown, f"byte {place}")
        is_long = not is_last


def read_docs(content: Content) -> Iterator[Document]:
    """Yields the documents of WikiExtractor's `<doc id= url= title=>`."""
    variant = content.settings.wiki_variant
    for place, record in _whole(content, DOC_END, content.decoder()):
        match = _DOC.search(record)
        if match is None:
            if record.strip():
                where = f"byte {place}"
                content.note("document_record_damaged", record, where)
            continue
        title = _TITLE_OF.search(match[1])
        name = _unescape(title[1]) if title else ""
        text = plain_lines(record[match.end() :])
        first, _, rest = text.partition("\n")
        if name and _unescape(first).strip() == name.strip():
            text = plain_lines(rest)
        source = f"byte {place} {name}".rstrip()
        if not text.strip():
            content.note("document_page_without_text", name, source)
            continue
        text = wiki_variants.resolve(_unescape(text), variant)
        yield Document(f"{content.name} {source}", text)


def read_dump(content: Content) -> Iterator[Document]:
    """Yields the articles of a dump of MediaWiki, their markup taken off."""
    variant = content.settings.wiki_variant
    for place, record in _whole(content, PAGE_END, content.decoder()):
        begin = record.find(_PAGE.decode())
        if begin < 0:
            continue
        page = record[begin:]
        title = _TITLE.search(page)
        name = _unescape(title[1]) if title else ""
        source = f"byte {place} {name}".rstrip()
        body = _last_text(page)
        if body is None:
            content.note("document_record_damaged", page, source)
            continue
        markup = _unescape(body)
        if rule := _left_out(page, markup):
            content.note(rule, f"{name}\n{markup}", source)
            continue
        text = wiki_markup.plain(markup, variant)
        if not text:
            shown = f"{name}\n{markup}"
            content.note("document_page_without_text", shown, source)
            continue
        yield Document(f"{content.name} {source}", text)


def _last_text(page):
    """The text of the newest revision; None where the page is cut off."""
    texts = [*_TEXT.finditer(page)]
    return (texts[-1][1] or "") if texts else None


def _left_out(page, markup):
    namespace = _NAMESPACE.search(page)
    if namespace and int(namespace[1]):
        return "document_page_not_article"
    if _REDIRECT.search(page) or _REDIRECT_TEXT.match(markup):
        return "document_page_redirect"
    model = _MODEL.search(page)
    if model and model[1] != "wikitext":
        return "document_page_not_article"
    return None
