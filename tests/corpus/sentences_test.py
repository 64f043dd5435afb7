"""Sentences: nothing is lost; hard cases; limits; hostile paragraphs.

A case is a paragraph with a | where a sentence ends and the next begins. None
is of the corpora that benchmarks.sentences measures.
"""

import time
import unicodedata

import hypothesis
import pytest
from hypothesis import strategies as st

from corpus.document import Document
from corpus.sentences import RULES, SentenceSettings, Splitter
from corpus.tally import Tally

CHINESE = [
    "今天下雨。|我们不去了！|你呢？|好的。",
    "真的吗？！|太好了！！！|走吧～我等你。",
    "圆周率约为3.14。|2020年他算到了第1,000位。",
    "他说：“走吧！|现在就走。”|大家都站了起来。",
    "“你去哪儿？”他问。|“去买菜。”她说。|天黑了。",
    "“明天再说。”老师说道，“今天先休息。”|下课铃响了。",
    "他高喊“加油！”的声音传得很远。",
    "“快跑！”、“小心！”，到处是喊声。",
    "会上响起“好！”和“再来一个！”的喊声。",
    "我昨天看了《摔跤吧！爸爸》。|你看过《谁动了我的奶酪？》吗？|没有。",
    "《你好，李焕英！》很好看。|我看了两遍。",
    "苹果、梨、香蕉……等等都有。|随便拿。",
    "我……我不知道。|你……你怎么来了？",
    "门慢慢地开了……|外面一个人也没有。",
    "“要是能再见一面……”|她没有说下去。",
    "他家有三个孩子；大的上学了；小的还在家里。",
    "比赛结束了。（张三报道）|观众陆续离场。",
    "方案有两点。|（1）降低成本。|（二）提高质量。",
    "（他其实什么都知道。）|可是谁也没有问。",
    "他（谁不知道呢！）又迟到了。",
    "这是第一条[1]。|第二条见下文。[2]|第三条从略。[3][14]|完。",
    "主角是约翰·史密斯。|乔治.布什也来了。",
    "价格是￥3.50。|比上月高０．５％。|不算贵。",
    "请访问www.example.com/a.html?id=3。|邮箱是li.ming@example.cn。|谢谢。",
    "文件名是报告v1.2.3.docx。|请打开它。",
    "你好吗?|我很好!|他也很好.",
    "方法简单.|结果可靠.|样本共30.5万份.",
    "方法简单．|结果可靠．|样本共３０．５万份．",
    "1.打开文件。|2.修改标题。|3.保存。",
    "1. 打开文件。|2. 修改标题。",
    "步骤如下：1. 打开文件，2. 修改标题。",
    "会议于１９９８．４．５召开。|到会的有三十人。",
    "他走了。|——这是后来听说的。",
    "“人不可无信。”——这是父亲常说的话。",
    "好。 |下一句前面有空格。　|全角空格也一样。",
    '他说:"你好。"|我也说:"你好。"',
    '他走了。|"等等我!"|她喊起来。',
    "据说。。。|没有人知道。",
    "！！！注意：这里有电。|请绕行。",
    "没有标点的一段文字",
]
TRADITIONAL = [
    "「你要去哪裡？」他問。|「去圖書館。」她說。",
    "老師說：「今天不上課。」|大家高興得跳了起來！",
    "他低聲說：「我聽見他喊『救命！』，就跑過去了。」|警察記了下來。",
    "下雨了．|我們回家吧．",
    "臺北市人口約２５０．３萬。|高雄次之！|臺南呢？",
    "﹁走吧。﹂|他站起來。",
    "これは本です。|それは何ですか？|「はい。」と答えた。",
]
ENGLISH = [
    "It rained. |We stayed at home! |Did you?",
    "Mr. Smith met Dr. Jones and Mrs. Brown. |They had tea.",
    "He was born on Jan. 5, 1990, in St. Louis, Mo. |She was not.",
    "J. R. R. Tolkien and C. S. Lewis were friends. |They met in Oxford.",
    "Use a tool, e.g. a hammer, i.e. something heavy. |Then stop.",
    "The U.S. economy grew. |It was 3.14 percent vs. 2.5 percent.",
    "We met at 5 p.m. at the station. |He came at 6 a.m. |The bus was late.",
    "She works for Acme Inc. in Ohio. |He left Acme Inc. |They closed.",
    "See Fig. 3 and No. 7 on p. 12. |It is clear.",
    "Did he agree? |No. |He refused.",
    "Apples, pears, etc. are fruit. |Take some.",
    "Visit www.example.com or http://example.org/a.b?c=d. |It is free.",
    "Write to john.doe@example.com. |Attach report.v2.pdf please.",
    "Version 2.0.1 runs on Node.js and .NET alike. |Try it.",
    '"Where are you going?" he asked. |"Home," she said.',
    'He said, "Go away." |Then he left. |"Fine."',
    "“Stop!” he cried. |“Never.” |The door closed.",
    "He left (it was late). |She stayed. |(Nobody knew why.) |It rained.",
    "Well... |I do not know. |Wait... what?",
    "wait . . . what is this? |Nothing.",
    "1. Open the file. |2. Save it. |A. Close it.",
    "The war ended in 1945. |Many came home.",
    "It was plan B. |The first had failed.",
    "I gave it to him and I. |He laughed.",
    "Gen. Lee and Sen. Ford spoke; Prof. Li did not. |All agreed.",
    "Is it true?! |Yes!!! |Good.",
    "He won. |20 people clapped. |3.5 million watched.",
    "She has a Ph.D. in law. |He has none.",
    "He wrote it (see ch. 4). |Nobody read it.",
    "It is known.[1] |It was shown.[2][3] |Good.",
    "Wm. Penn and Geo. Fox were Quakers. |So was she.",
    "He lives on Park Ave. near the lake. |It is quiet.",
    "Sit. |— Why? |— Because.",
]
MIXED = [
    "我用Python 3.11写程序。|It works well. |你试过Node.js吗？|没有。",
    "他在IBM Inc.工作。|She is at Apple Inc. |Both are fine.",
    "Hello!|你好!|Bye!",
    "苹果公司(Apple Inc.)发布了新手机。|价格是$999.99。",
    "“Why not?”他问。|没有人回答。",
    "GDP增长6.5%。|CPI上涨2.1%。",
    "他说“OK。”|然后走了。",
    "参见Fig. 3和表2。|结果见Sec. 4.2。",
    "The word is “你好。” |It means hello.",
]


@pytest.fixture(name="splitter", scope="module")
def make_splitter():
    return Splitter(SentenceSettings(max_sentence_chars=0))


@pytest.mark.parametrize("case", CHINESE + TRADITIONAL + ENGLISH + MIXED)
def test_hard_cases(splitter, case):
    assert splitter.split(case.replace("|", "")) == case.split("|")


@pytest.mark.parametrize("case", CHINESE + TRADITIONAL + ENGLISH + MIXED)
def test_a_sentence_by_itself_stays_one(splitter, case):
    for sentence in case.split("|"):
        assert splitter.split(sentence) == [sentence]


_MARKS = st.text(
    "。！？；…，、：.!?,;“”‘’「」『』（）()《》[]\"'"
    "—-　 \t1２a好Ａ我说的等\u0301😀",
    max_size=80,
)


@hypothesis.given(st.text() | _MARKS, st.integers(0, 9))
def test_sentences_joined_are_the_paragraph(paragraph, limit):
    splitter = Splitter(SentenceSettings(max_sentence_chars=limit))
    sentences = splitter.split(paragraph)
    assert "".join(sentences) == paragraph
    if paragraph.strip():
        assert all(sentence.strip() for sentence in sentences)


@hypothesis.given(_MARKS, st.integers(1, 9))
def test_pieces_are_within_the_limit(paragraph, limit):
    splitter = Splitter(SentenceSettings(max_sentence_chars=limit))
    for piece in map(str.strip, splitter.split(paragraph)):
        wide = sum(char >= "\u2000" for char in piece)
        assert wide + (len(piece) - wide) / 4 <= limit


@hypothesis.given(_MARKS)
def test_whole_sentences_hold_a_letter_or_a_digit(paragraph):
    sentences = Splitter(SentenceSettings(max_sentence_chars=0)).split(
        paragraph
    )
    for sentence in sentences[:-1]:
        kinds = {unicodedata.category(char)[0] for char in sentence}
        assert kinds & {"L", "N"}


@pytest.mark.parametrize("case", CHINESE + TRADITIONAL + ENGLISH + MIXED)
def test_cuts_are_only_added(splitter, case):
    text = case.replace("|", "")
    limited = Splitter(SentenceSettings(max_sentence_chars=5))
    pieces = [p for one in splitter.split(text) for p in limited.split(one)]
    assert len(pieces) >= len(case.split("|"))
    assert "".join(pieces) == "".join(limited.split(text)) == text


@pytest.mark.parametrize(
    "limit, case",
    [
        (11, "天气很好，我们去公园；|他也去，她不去。"),
        (10, "苹果、梨、桃、香蕉、|葡萄和西瓜都有。"),
        (6, "一二三四五六|七八九十。"),
        (4, "one two three |four five six"),
        (6, "我用TensorFlow写"),
        (5, "我在这里|TensorFlow写程|序"),
        (5, "比率是1,000.50|元"),
        (6, "“一二三，”|四五六七"),
        (3, "一二三|四e\u0301五"),
    ],
)
def test_a_long_sentence_is_cut_at_the_best_mark(limit, case):
    splitter = Splitter(SentenceSettings(max_sentence_chars=limit))
    pieces = splitter.split(case.replace("|", ""))
    assert pieces == case.split("|")


def test_no_character_is_parted():
    family = "👨\u200d👩\u200d👧"
    splitter = Splitter(SentenceSettings(max_sentence_chars=6))
    for text in (family * 20, "e\u0301" * 50, "葛\U000e0100" * 20):
        pieces = splitter.split(text)
        assert len(pieces) > 1
        for piece in pieces:
            assert not unicodedata.category(piece[0]).startswith("M")
            assert piece[0] != "\u200d" != piece[-1]


def test_a_document_counts_what_was_cut():
    tally = Tally()
    text = "短句。长句" + "啊" * 20 + "，后面。\n\n  下一段。  \n"
    splitter = Splitter(SentenceSettings(max_sentence_chars=24))
    found = splitter.split_document(Document("a.txt line 1", text), tally)
    assert found == ["短句。", "长句" + "啊" * 20 + "，", "后面。", "下一段。"]
    ((rule, count),) = tally
    assert rule in RULES and count.num == 1
    assert count.samples[0].source == "a.txt line 1"
    assert count.samples[0].text.startswith("长句")


def test_the_default_fits_into_a_sequence():
    assert SentenceSettings().max_sentence_chars <= 128 - len(
        ["[CLS]", "[SEP]", "[SEP]"]
    )
    with pytest.raises(ValueError, match="--max_sentence_chars"):
        SentenceSettings(max_sentence_chars=-1)


_HOSTILE = [
    "a", "字", ".", "。", "\"", "“", "”", "（", "）", "《", "》", "…", " ", "!",
    "1", "\u0301", ". ", "a. ", "1. ", "A. ", "。“", "？\"", "《！》", "《？",
    "。（", "。[1]", "。[", "a.b.", "Mr. ", "说。”", "。”他", "……我", "，",
    "\u200d", ".\"a ", "？（一", "\udc00",
]  # fmt: skip


@pytest.mark.parametrize("unit", _HOSTILE)
@pytest.mark.parametrize("limit", [0, 120])
def test_time_is_linear_in_the_length(unit, limit):
    splitter = Splitter(SentenceSettings(max_sentence_chars=limit))

    def secs(num_chars):
        text = unit * (num_chars // len(unit))
        start = time.process_time()
        assert "".join(splitter.split(text)) == text
        return time.process_time() - start

    # Quadratic would be 16 times as long, and minutes for the longer.
    short = min(secs(25_000) for _ in range(2))
    long = secs(400_000)
    assert long < 48 * max(short, 0.005), (short, long)
