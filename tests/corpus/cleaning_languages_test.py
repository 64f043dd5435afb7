"""Languages: told apart on sentences that were written for this test."""

import pytest

from corpus.cleaning import languages, scanning

SENTENCES = {
    "zh": [
        "清晨的雾还没有散去。",
        "臺灣的鐵道於一九○八年全線通車。",
        "学而时习之，不亦说乎？",
        "使用 React Native 和 TypeScript 来写 App 的好处是什么？",
        "她最喜欢的歌是《さくら》，每天都要听几遍。",
        "日本作家村上春樹的新書出版了。",
    ],
    "en": [
        "The fog had not lifted when the ferry left.",
        "How to install the package",
        "Beyoncé and Zoë met at the café.",
        "Chapter One",
        "New York City",
        "He went to Düsseldorf and then to Besançon by train.",
        "The word 你好 means hello in Chinese.",
        "To be, or not to be, that is the question.",
    ],
    "ja": [
        "朝の霧はまだ晴れていなかった。",
        "東京は日本の首都です。",
        "コンピュータのプログラムを書く。",
    ],
    "ko": ["아침 안개가 아직 걷히지 않았다.", "서울은 대한민국의 수도이다."],
    "cyrillic": [
        "Утренний туман ещё не рассеялся.",
        "Киев є столицею України.",
    ],
    "greek": ["Η ομίχλη δεν είχε διαλυθεί ακόμα."],
    "arabic": [
        "لم ينقشع الضباب بعد في الصباح.",
        "مه صبحگاهی هنوز از بین نرفته بود.",
    ],
    "hebrew": ["ערפל הבוקר עדיין לא התפזר."],
    "thai": ["หมอกยามเช้ายังไม่จางหาย"],
    "other": [
        "सुबह का कोहरा अभी छँटा नहीं था।",
        "დილის ნისლი ჯერ არ გაფანტულა.",
    ],
    "latin": [
        "Le brouillard du matin ne s'était pas encore levé sur le fleuve.",
        "Der Nebel hatte sich am Morgen noch nicht gelichtet.",
        "La niebla de la mañana todavía no se había levantado.",
        "La nebbia del mattino non si era ancora alzata.",
        "O nevoeiro da manhã ainda não se tinha levantado.",
        "De ochtendmist was nog niet opgetrokken en het was koud.",
        "Morgondimman hade inte lättat än när båten gick.",
        "Poranna mgła jeszcze się nie podniosła, a łódź już odpłynęła.",
        "Sabah sisi henüz kalkmamıştı ve tekne çoktan gitmişti.",
        "Kabut pagi belum hilang dan orang-orang sudah menunggu di sana.",
        "Sương mù buổi sáng vẫn chưa tan và mọi người đang chờ.",
        "Ranní mlha se ještě nezvedla, ale loď už odplula.",
    ],
}


def language_of(text):
    return languages.language_of(text, scanning.scan(text, 0))


@pytest.mark.parametrize(
    ("language", "sentence"),
    [(language, x) for language, xs in SENTENCES.items() for x in xs],
)
def test_a_sentence_is_of_its_language(language, sentence):
    assert language_of(sentence) == language


def test_every_language_is_known_and_told():
    assert set(SENTENCES) == set(languages.ALL)


@pytest.mark.parametrize("text", ["", "123", "…！", "\n"])
def test_no_letters_are_no_language(text):
    assert language_of(text) == "other"


def test_every_character_has_the_kind_that_the_table_says():
    # What the compiled function counts, beside what is said in words.
    codes = [*range(0xD800), *range(0xE000, 0x20000, 7), 0x20000, 0x2FFFF]
    codes += [0x2FFFE, 0x3134F, 0xE0001, 0xE0100, 0xF0000, 0x10FFFF]
    for code in codes:
        counts = scanning.scan(chr(code), 0).counts.tolist()
        assert counts[scanning.kind_of(chr(code))] == 1, hex(code)
        assert sum(counts) == 1, hex(code)
