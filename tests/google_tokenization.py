"""google-research/bert's FullTokenizer, plainly, as a second opinion.

One character and one string at a time, as it was published; nothing is shared
with `text`.
"""

import gzip
import unicodedata

_CHINESE_BLOCKS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


def read_lines(path):
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8", newline="\n") as lines:
        yield from lines


def load_vocab(path):
    return {line.strip(): row for row, line in enumerate(read_lines(path))}


class FullTokenizer:
    """Basic tokenizing, then greedy longest-match-first WordPiece."""

    def __init__(self, vocab_file, do_lower_case=True, max_characters=200):
        self.vocab = load_vocab(vocab_file)
        self.do_lower_case = do_lower_case
        self.max_characters = max_characters

    def ids(self, text):
        return [self.vocab[token] for token in self.tokenize(text)]

    def tokenize(self, text):
        tokens = []
        for word in basic_tokens(text, self.do_lower_case):
            tokens.extend(self._pieces(word))
        return tokens

    def _pieces(self, word):
        if len(word) > self.max_characters:
            return ["[UNK]"]
        pieces = []
        start = 0
        while start < len(word):
            end = len(word)
            found = None
            while start < end:
                piece = word[start:end]
                if start > 0:
                    piece = "##" + piece
                if piece in self.vocab:
                    found = piece
                    break
                end -= 1
            if found is None:
                return ["[UNK]"]
            pieces.append(found)
            start = end
        return pieces


def basic_tokens(text, do_lower_case):
    """Words, punctuation marks and single Chinese characters."""
    pieces = []
    for word in _spaced(text).split():
        if do_lower_case:
            word = _without_accents(word.lower())
        pieces.extend(_split_at_punctuation(word))
    return " ".join(pieces).split()


def _spaced(text):
    out = []
    for char in text:
        if _is_dropped(char):
            continue
        if _is_space(char):
            out.append(" ")
        elif _is_chinese(ord(char)):
            out.extend((" ", char, " "))
        else:
            out.append(char)
    return "".join(out)


def _without_accents(word):
    out = []
    for char in unicodedata.normalize("NFD", word):
        if unicodedata.category(char) != "Mn":
            out.append(char)
    return "".join(out)


def _split_at_punctuation(word):
    out = []
    begins_word = True
    for char in word:
        if _is_punctuation(char):
            out.append([char])
            begins_word = True
            continue
        if begins_word:
            out.append([])
        begins_word = False
        out[-1].append(char)
    return ["".join(part) for part in out]


def _is_space(char):
    return char in (" ", "\t", "\n", "\r") or (
        unicodedata.category(char) == "Zs"
    )


def _is_dropped(char):
    if char in ("\0", "\ufffd"):
        return True
    if char in ("\t", "\n", "\r"):
        return False
    return unicodedata.category(char) in ("Cc", "Cf")


def _is_chinese(code):
    return any(first <= code <= last for first, last in _CHINESE_BLOCKS)


def _is_punctuation(char):
    code = ord(char)
    if 33 <= code <= 47 or 58 <= code <= 64:
        return True
    if 91 <= code <= 96 or 123 <= code <= 126:
        return True
    return unicodedata.category(char).startswith("P")
