"""Repairs text whose bytes were read in the wrong encoding, where it is sure.

    UTF-8 read as CP1252:  ä½ å¥½ -> 你好
    UTF-8 read as GBK:     浣犲ソ涓栫晫 -> 你好世界
    GBK read as Latin-1:   ÄãºÃÊÀ½ç -> 你好世界

A repair is sure where the bytes are of the other encoding as a whole, and
there are more of them than chance makes. What shows the signs and cannot be
repaired is told apart, too.
"""

import re

# What CP1252 makes of the bytes 80 to 9F, where it makes something of them.
_CP1252 = {
    ord(bytes([byte]).decode("cp1252")): byte
    for byte in range(0x80, 0xA0)
    if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_HIGH = "\u0080-\u00ff" + "".join(map(chr, _CP1252))
_RUN = re.compile(f"[{_HIGH}]+")
_CONTINUATION = "\u0080-\u00bf" + "".join(map(chr, _CP1252))
# Three bytes of punctuation, Chinese or kana; two of a letter with an accent.
_THREE = re.compile(f"[\u00e2-\u00e9\u00ef][{_CONTINUATION}]{{2}}")
_QUOTES = re.compile(f"\u00e2\u20ac[{_CONTINUATION}]")  # alone they are sure
_TWO = re.compile(f"[\u00c2\u00c3][{_CONTINUATION}]")
_OTHER_TWO = re.compile(f"[\u00c4-\u00df][{_CONTINUATION}]")
_GBK_RUN = re.compile("[\u00a1-\u00fe]{8,}")
_HAN = re.compile("[\u4e00-\u9fff]")
# The commoner half of GB 2312, and its punctuation.
_COMMON_ROWS = range(0xB0, 0xD8)
_ASCII = bytes(range(0x80))
_UTF8_SHARE = 0.8
_FEWEST_HAN = 4
_FEWEST_TWO = 2
_FEWEST_OTHERS = 6
# What replacing characters, and fresh memory, look like when read as GBK.
_LOST = re.compile("锟斤拷锟[锟斤拷]*|烫{5,}|屯{5,}|ï¿½")
# Somebody may speak of it.
_SPOKEN_OF = "锟斤拷"
_SPOKEN_SHARE = 0.2
# A long line with less of it is not dropped as a whole.
_LOST_SHARE = 0.05
# One of these stands in every line that is lost.
LOST_SIGNS = (_SPOKEN_OF, "烫烫烫烫烫", "屯屯屯屯屯", "ï¿½")


def is_lost(line: str) -> bool:
    """Whether what the line said is gone: 锟斤拷锟斤拷, 烫烫烫烫烫."""
    num_lost = sum(map(len, _LOST.findall(line)))
    num_spoken = line.count(_SPOKEN_OF) * len(_SPOKEN_OF)
    return num_lost > _LOST_SHARE * len(
        line
    ) or num_spoken > _SPOKEN_SHARE * len(line)


def repair_latin(line: str) -> str | None:
    """Repairs UTF-8 or GBK that was read as CP1252 or Latin-1.

    Returns:
        The line, repaired or as it was; None where it is surely misread and
        cannot be repaired.
    """
    num_three = len(_THREE.findall(line)) + len(_QUOTES.findall(line))
    num_two = len(_TWO.findall(line))
    num_others = len(_OTHER_TWO.findall(line))
    if (
        num_three >= _FEWEST_TWO
        or num_two >= _FEWEST_TWO
        or num_others >= _FEWEST_OTHERS
        or (num_two and num_two + num_others == _num_high(line) // 2)
    ):
        repaired = _decode_runs(line)
        if repaired is not None:
            return repaired
        if num_three >= max(_FEWEST_HAN, _LOST_SHARE * len(line)):
            return None
    return _GBK_RUN.sub(_decode_gbk, line)


def _num_high(line):
    return sum(map(len, _RUN.findall(line)))


def _decode_runs(line):
    """The line with each run of high characters read as UTF-8, or None."""
    try:
        return _RUN.sub(lambda run: _bytes_of(run[0]).decode("utf-8"), line)
    except UnicodeDecodeError:
        return None


def _bytes_of(text):
    return bytes(
        _CP1252.get(ord(character), ord(character)) for character in text
    )


def _decode_gbk(match):
    raw = match[0].encode("latin-1")
    try:
        decoded = raw.decode("gb2312")
    except UnicodeDecodeError:
        return match[0]
    rows = decoded.encode("gb2312")[::2]
    is_common = all(row in _COMMON_ROWS or row in (0xA1, 0xA3) for row in rows)
    is_sure = is_common and len(set(_HAN.findall(decoded))) >= _FEWEST_HAN
    return decoded if is_sure else match[0]


def repair_gbk(line: str) -> str | None:
    """Repairs UTF-8 that was read as GBK; returns as `repair_latin` does."""
    try:
        raw = line.encode("gb18030")
    except UnicodeEncodeError:
        return line
    try:
        repaired = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None if _is_mostly_utf8(line) else line
    return repaired if len(_HAN.findall(repaired)) >= _FEWEST_HAN else line


def _is_mostly_utf8(line):
    """Whether UTF-8 was read as GBK and some of it was lost in between."""
    raw = line.replace("\ufffd", "").encode("gb18030")
    kept = raw.decode("utf-8", "ignore")
    num_kept = len(kept.encode("utf-8").translate(None, _ASCII))
    num_bytes = len(raw.translate(None, _ASCII))
    return (
        num_kept > _UTF8_SHARE * num_bytes
        and len(_HAN.findall(kept)) >= _FEWEST_HAN
    )
