"""Tells by its beginning whether a file holds sentences, or text in a wrapping.

Keys, tags and headers would be trained on as words. What is no plain text is
named as a person calls it.
"""

import re

# So many bytes are enough to tell.
HEAD_BYTES = 1 << 12

_MAGIC = {
    b"%PDF-": "PDF",
    b"WARC/": "WARC",
    b"PK\x03\x04": "a zip archive",
    b"PAR1": "Parquet",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x1f\x8b": "gzip",
    b"SQLite format 3": "SQLite",
    b"{\\rtf": "RTF",
}
_BEGINNINGS = {
    "WikiExtractor <doc>": rb"<doc\s[^>]*\b(?:id|url|title)\s*=",
    "MediaWiki XML": rb"(?:<\?xml[^>]*>\s*)?<mediawiki\b",
    "HTML": rb"(?:<\?xml[^>]*>\s*)?(?:<!doctype html|<(?:html|head|meta|title|"
    rb"body|div|p|span|table|article|h1)(?:\s+[a-z:-]+\s*=[^>]*)?\s*>)",
    "XML": rb"<\?xml\b",
    # An object may be cut off by the end of what was read.
    "JSON lines": rb'\{[ \t]*"[^\n]*?"[ \t]*:[^\n]*(?:\n\s*\{|\s*\Z)',
    "JSON": rb'(?:\[\s*)?\{\s*"[^"\n]*"\s*:',
}
_PATTERNS = {
    form: re.compile(pattern, re.IGNORECASE)
    for form, pattern in _BEGINNINGS.items()
}


def look(head: bytes) -> str | None:
    """Returns what form a file has, or None if it may be plain text.

    Args:
        head: the first `HEAD_BYTES` of it, as they are or as UTF-8.
    """
    for magic, form in _MAGIC.items():
        if head.startswith(magic):
            return form
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for form, pattern in _PATTERNS.items():
        if pattern.match(start):
            return form
    return None
