"""Says which language a text is in: by its letters, English by its words.

Chinese and kana, Hangul, Cyrillic... tell themselves apart. English is told
from all else in Latin letters by the small words of both. Nothing is learned
and nothing loaded; tests hold what it gets right.
"""

import re

from corpus.cleaning.scanning import Kind, Scan

ALL = (
    "zh",
    "en",
    "ja",
    "ko",
    "latin",
    "cyrillic",
    "greek",
    "arabic",
    "hebrew",
    "thai",
    "other",
)
_OF_KIND = {
    Kind.HAN: "zh",
    Kind.LATIN: "en",
    Kind.KANA: "ja",
    Kind.HANGUL: "ko",
    Kind.CYRILLIC: "cyrillic",
    Kind.GREEK: "greek",
    Kind.ARABIC: "arabic",
    Kind.HEBREW: "hebrew",
    Kind.THAI: "thai",
    Kind.LETTER: "other",
}
# A Chinese character says about as much as three letters, a syllable of
# Korean as two.
_WEIGHTS = {Kind.HAN: 3, Kind.HANGUL: 2, Kind.KANA: 2}
# Japanese has about as many kana as characters of Chinese; Chinese that names
# something Japanese has few.
_KANA_SHARE = 0.2
# Less is a few names; Chinese about programs is full of their words.
_HAN_SHARE = 0.05
_READ_CHARS = 5_000
_WORD = re.compile("[a-z\u00df-\u024f\u1e00-\u1eff]+(?:['’][a-z]+)?")
_ENGLISH_WORDS = """
the of and is that for it was are as with his they be this from have by had not
but what all were when we there can your which their said if will each about how
out them then she many some these would other into more her him could my than
been who its now did get you where does you've it's don't i'm
"""
# Others have these, too: they count half, and are not enough among accents.
_WEAK_WORDS = "to in on at or an do so has he i up no after a"
# Small words of others that are none, or seldom ones, of English.
_FOREIGN_WORDS = (
    # French, Spanish, Portuguese, Italian, Catalan, Romanian
    """
    le la les des du et est une dans que qui pour sur pas au aux avec ce
    cette sont par plus ne se il elle nous vous ils mais où être el los las
    del en un una por con para es lo como pero su más este esta sus al ha os
    um uma da das do dos na nas não ao mas foi são pelo pela gli di che non
    per sono della delle nel alla dei ed anche come questo questa els amb
    sau şi și care cu din pe nu mai sunt
    """,
    # German, Dutch, Danish, Swedish, Norwegian, Afrikaans, Icelandic
    """
    der die das und ist nicht ein eine den dem von zu mit sich auf für im
    auch wird oder als wenn sie ich het een van de op te dat niet zijn voor
    met wordt ook aan bij deze og det er som på til af ikke med har vil jeg
    eller efter för att är inte och av om ett kan sig meg seg ble við
    """,
    # Polish, Czech, Slovak, Slovene, Croatian, Hungarian, Finnish, Estonian
    """
    nie się jest że na do jak przez dla lub są ve je že jako pro nebo jsou
    tak ale byl sa aj ako alebo ktorý za ki so ali kot pri iz kako koji od
    što egy az és hogy nem van ez ja ei se joka tai ovat kun mutta on eest
    või mis
    """,
    # Turkish, Indonesian, Malay, Vietnamese, Tagalog, Latin
    """
    bir ve bu için ile da de olarak yang dan di untuk dari dengan ini itu
    pada adalah tidak atau akan dalam của và là các được trong cho không một
    với người có ang mga ng sa at ay et in est non cum quod ut ex sed qui
    """,
    # Basque, Welsh, Irish, Lithuanian, Latvian, Albanian, Swahili
    """
    eta da yn yr mae ar agus na tá ir kad yra un kas dhe të në një ya wa kwa
    za ni katika
    """,
)
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_WEAK = frozenset(_WEAK_WORDS.split())
_FOREIGN = frozenset(" ".join(_FOREIGN_WORDS).split()) - _ENGLISH - _WEAK
# So many words without a small one are not English; nor are so many accents.
_MOST_WITHOUT = 12
_ACCENT_SHARE = 0.02


def language_of(text: str, scan: Scan) -> str:
    """Returns which of `ALL` most of a text is in.

    Args:
        text: a text of some letters; the more, the surer. Without any it is
            `other`.
        scan: what it holds.
    """
    weights = {
        kind: int(scan.counts[kind]) * _WEIGHTS.get(kind, 1)
        for kind in _OF_KIND
    }
    kana, han = int(scan.counts[Kind.KANA]), int(scan.counts[Kind.HAN])
    weights[Kind.HAN] += weights.pop(Kind.KANA)
    most = max(weights, key=weights.__getitem__)
    if not weights[most]:
        return "other"
    if most == Kind.HAN and kana > _KANA_SHARE * (kana + han):
        return "ja"
    if most == Kind.LATIN:
        if _is_english(text):
            return "en"
        is_mixed = han > _HAN_SHARE * int(scan.counts[Kind.LATIN])
        return "zh" if is_mixed else "latin"
    return _OF_KIND[most]


def _is_english(text):
    words = _WORD.findall(text[:_READ_CHARS].lower())
    num_english = sum([word in _ENGLISH for word in words])
    num_weak = sum([word in _WEAK for word in words])
    num_foreign = sum([word in _FOREIGN for word in words])
    if num_english:
        return 2 * num_english + num_weak > 2 * num_foreign
    accents = sum([not x.isascii() for word in words for x in word])
    if accents > _ACCENT_SHARE * sum(map(len, words)):
        return False
    # Names, headings, code: no language, which is kept.
    return num_weak > 2 * num_foreign or (
        num_foreign == 0 and len(words) < _MOST_WITHOUT
    )
