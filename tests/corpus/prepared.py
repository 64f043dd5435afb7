"""Raw files for tests, and what was prepared of them."""

import json
import pathlib

from corpus.config import CorpusConfig

# Paragraphs of one or more sentences; the words were written for this test.
CHINESE = (
    "村口的老井砌于清代，井沿上有深深的绳痕。",
    "夏天孩子们把西瓜放进吊桶，傍晚再提上来。切开时，瓜瓤凉得牙齿发酸！",
    "后来通了自来水，井盖锁上了。可每逢停电，总有人去找钥匙。",
    "“水还能喝吗？”我问看井的老人。他舀了一瓢，自己先喝了一口。",
)
ENGLISH = (
    "The ferry leaves at half past six, and it does not wait.",
    "Dr. Moss counted 3.5 boxes of nails. Nobody asked him why.",
    "On the far shore stands a mill. Its wheel has not turned since the war.",
)


# Numbers in letters: in lines that are compared all digits are one.
_LETTERS = str.maketrans("0123456789", "零一二三四五六七八九")
_WORDS = str.maketrans("0123456789", "abcdefghij")


def document(number: int) -> str:
    """A document of its own: paragraphs, one a line."""
    if number % 3 == 2:
        first = f"Yard {number} keeps {number * 3} hens and one old goat."
        middle = [
            f"{text} At {number * 13 + i} the story turns."
            for i, text in enumerate(ENGLISH)
        ]
        lines = [first, *middle, f"{first} Indeed."]
        return "\n".join([lines[0].translate(_WORDS), *lines[1:]])
    trees = number * 7 % 31
    first = f"第{number}号院子里种着{trees}棵石榴树，果子年年有人来收。"
    middle = [
        f"{text}此处{number * 13 + i}号有别的故事可讲，容后再叙。"
        for i, text in enumerate(CHINESE)
    ]
    stone = number * number % 97
    last = f"记于院门口第{stone}块青石旁边，时候是{number}月的末尾。"
    lines = [first, *middle, last]
    return "\n".join([lines[0].translate(_LETTERS), *lines[1:]])


def write_json_lines(path: pathlib.Path, numbers) -> pathlib.Path:
    """Writes documents as JSON lines."""
    lines = (
        json.dumps({"text": document(number)}, ensure_ascii=False)
        for number in numbers
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def config(folder: pathlib.Path, **flags) -> CorpusConfig:
    """The settings for raw files in `folder`/raw; flags go before."""
    wanted = {
        "input_file": str(folder / "raw"),
        "output_dir": str(folder / "corpus"),
        "num_workers": 1,
        # The documents here are alike but for some words.
        "near_duplicates": False,
        "repeated_line_documents": 0,
    }
    return CorpusConfig(**wanted | flags)


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    """{name: bytes} of all files in a folder, at any depth."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def documents(folder: pathlib.Path, pattern: str = "clue_*.txt") -> list[str]:
    """The documents of a corpus, or of what is held out, in order."""
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted(folder.glob(pattern))
    )
    return text.split("\n\n")[:-1]
