"""Draws sequences from a corpus, with their masks.

Pairs are drawn as google-research/bert draws them, and the order of the random
draws is its own, so that the same seed gives the same pairs and masks.
Source: google-research/bert, create_pretraining_data.py,
create_instances_from_document; Lan et al. 2020, section 3.1 (sop); Liu et al.
2019, section 4.2, DOC-SENTENCES and FULL-SENTENCES (none);
google-research/electra, build_pretraining_dataset.py (electra).

An instance is kept as a recipe, see `recipes`: truncation takes tokens off the
ends only, so that a segment stays a run of the corpus.

A document is gone through by a chunk of four numbers: the next sentence, the
end of the document in sentences, (none only) the next token, and the first
sentence. With three sentences of 2, 2 and 3 tokens and a target of 7 (nsp):

    ids         0 1 | 2 3 | 4 5 6 |   7 | 8 9 |
    sentences    s0    s1     s2      t0   t1
    documents   ------- 0 ---------   --- 1 ---

    chunk       0 3    collects s0 s1 s2; the draw splits them behind s0
    A = 0:2            and wants another document: B = 7:10, label 1
    chunk       1 3    what B did not take goes back: s1 is next
    A = 2:4            collects s1 s2, splits them, stays: B = 4:7, label 0
    chunk       3 3    the end
"""

import collections

import numpy as np

from data.building import losses, mersenne, recipes
from data.building import masking as masks
from text.compiled import njit

Corpus = collections.namedtuple(
    "Corpus",
    [
        "ids",  # uint16 or int32 [tokens]: all sentences, one after another
        "begins",  # bool [tokens]: does a word begin here? Empty if no matter
        "sentences",  # int64 [sentences + 1]: where each begins in ids
        "documents",  # int64 [documents + 1]: where each begins in sentences
    ],
)

Rules = collections.namedtuple(
    "Rules",
    [
        "max_seq_length",
        "short_seq_prob",
        "pair_task",  # NSP, SOP, NONE or ELECTRA
        "is_filled",  # whether sentences are cut where a sequence is full
        "is_masked",  # whether masks are drawn now
        "cls_id",
        "sep_id",
        "padding_id",  # what stands behind a sequence
        "num_between",  # these two are those of `vocab.Layout`
        "second_segment",
        "masking",
    ],
)

NSP, SOP, NONE, ELECTRA = range(4)
PAIR_TASKS = {"nsp": NSP, "sop": SOP, "none": NONE, "electra": ELECTRA}

_TRIES_FOR_OTHER_DOCUMENT = 10
# Of google-research/electra's sequences: how many have one segment.
_SINGLE_PROB = 0.1
_SHORTEST_TARGET = 5


@njit()
def draw(corpus, order, first, last, rules, state, rows, marks):
    """Draws the instances of documents `order[first:last]`.

    Args:
        corpus: a `Corpus`.
        order: int64 [documents]: the shuffled documents.
        first, last: the part of `order` to go through.
        rules: `Rules`.
        state: the generator, see `mersenne`; it moves on.
        rows: uint16 [any, words]: recipes to write over, see `recipes`.
        marks: `losses.Marks`; more of them are set.

    Returns:
        (rows, size): the same rows, or more of them where they were too few,
        and how many are written.
    """
    max_masks = rules.masking.max_predictions_per_seq
    longest = rules.max_seq_length
    # Made here: a function that made them would hide from the compiler that
    # they do not overlap, and masking would take a tenth longer.
    scratch = masks.Scratch(
        np.empty(longest, np.int32),
        np.ones(longest, np.bool_),
        np.empty(longest + 1, np.int32),
        np.empty(longest + 1, np.int32),
        np.empty((2, max_masks), np.int32),
        np.empty((2, max_masks), np.int32),
    )
    chunk = np.empty(4, np.int64)
    num_masks = 0
    size = 0
    for index in range(first, last):
        chunk[:2] = corpus.documents[order[index] : order[index] + 2]
        chunk[2:] = corpus.sentences[chunk[0]], chunk[0]
        target = _target_length(rules, state)
        while chunk[0] < chunk[1]:
            a, a_end, b, b_end, label = _draw_segments(
                corpus, order, index, chunk, target, rules, state, marks
            )
            if a == a_end:
                continue
            losses.mark(marks.in_record, a, a_end)
            losses.mark(marks.in_record, b, b_end)
            if rules.is_masked:
                num_masks = _draw_masks(
                    corpus, a, a_end, b, b_end, rules, state, scratch
                )
            if size == len(rows):
                rows = _grown(rows)
            recipes.write(
                rows[size],
                a,
                b,
                a_end - a,
                b_end - b,
                label,
                scratch.places,
                num_masks,
                max_masks if rules.is_masked else 0,
            )
            size += 1
    return rows, size


@njit()
def _draw_masks(corpus, a, a_end, b, b_end, rules, state, scratch):
    """Writes the masks of a sequence to `places`; returns their number."""
    num_tokens = a_end - a + b_end - b + 2
    if b < b_end:
        num_tokens += rules.num_between
    if rules.masking.takes_similar:
        recipes.assemble(corpus.ids, a, a_end, b, b_end, rules, scratch.row)
    if rules.masking.whole_word:
        recipes.assemble_begins(
            corpus, a, a_end, b, b_end, rules, scratch.begins
        )
    return masks.draw_masks(
        num_tokens, a_end - a + 1, rules.masking, state, scratch
    )


@njit()
def _grown(rows):
    """The same rows with as many again."""
    return np.concatenate((rows, np.empty_like(rows)))


@njit()
def _target_length(rules, state):
    """Tokens a sequence should reach; now and then few, as in fine-tuning."""
    longest = rules.max_seq_length - _num_special(rules)
    if mersenne.random(state) < rules.short_seq_prob:
        return mersenne.randint(state, 2, longest)
    return longest


@njit()
def _num_special(rules):
    """[CLS], the [SEP]s between two segments, and the one at the end."""
    return 2 if rules.pair_task == NONE else 2 + rules.num_between


@njit()
def _draw_segments(corpus, order, index, chunk, target, rules, state, marks):
    """Draws the next sequence of a document.

    Args:
        chunk: int64: [0] the sentence to begin with, moved to where the next
            sequence begins; [1] the end of the document; [2] the token to
            begin with, where sentences may be cut; [3] the first sentence of
            the document.

    Returns:
        (a, a_end, b, b_end, label): the segments as runs of tokens. A is
        empty where nothing could be made of the sentences.
    """
    if rules.pair_task == NONE:
        return _draw_run(corpus, chunk, target, rules)
    if rules.pair_task == ELECTRA:
        return _draw_halves(corpus, chunk, rules, state)
    longest = rules.max_seq_length - _num_special(rules)
    losses.note_alone(corpus.sentences, chunk, target, longest, marks.alone)
    if rules.pair_task == SOP:
        a, a_end, b, b_end, label = _draw_order(corpus, chunk, target, state)
    else:
        a, a_end, b, b_end, label = _draw_pair(
            corpus, order, index, chunk, target, state
        )
    a, a_end, b, b_end = _truncate(a, a_end, b, b_end, longest, state)
    return a, a_end, b, b_end, label


@njit()
def _draw_pair(corpus, order, index, chunk, target, state):
    """Neighbours (label 0), or A and sentences from elsewhere (label 1)."""
    a, middle, end = _split_sentences(corpus, chunk, target, state)
    a_end = corpus.sentences[middle]
    if end - chunk[0] == 1 or mersenne.random(state) < 0.5:
        b, b_end = _random_segment(
            corpus, order, index, target - (a_end - a), state
        )
        # The sentences behind A were not used: the next sequence begins there.
        chunk[0] = middle
        return a, a_end, b, b_end, 1
    chunk[0] = end
    return a, a_end, a_end, corpus.sentences[end], 0


@njit()
def _draw_order(corpus, chunk, target, state):
    """Neighbours in their order (label 0) or swapped (label 1).

    A sentence that is left alone at the end of a document has no neighbour
    and is left out.
    """
    a, middle, end = _split_sentences(corpus, chunk, target, state)
    is_alone = end - chunk[0] == 1
    chunk[0] = end
    if is_alone:
        return a, a, a, a, 0
    b, b_end = corpus.sentences[middle], corpus.sentences[end]
    if mersenne.random(state) < 0.5:
        return b, b_end, a, b, 1
    return a, b, b, b_end, 0


@njit()
def _split_sentences(corpus, chunk, target, state):
    """Collects sentences up to `target` tokens and parts them in two.

    Returns:
        (a, middle, end): the first token, the sentence at which the second
        part begins, and the one behind it.
    """
    begin, end = chunk[0], chunk[0] + 1
    a = corpus.sentences[begin]
    while end < chunk[1] and corpus.sentences[end] - a < target:
        end += 1
    middle = begin + 1
    if end - begin >= 2:
        middle = begin + mersenne.randint(state, 1, end - begin - 1)
    return a, middle, end


@njit()
def _draw_run(corpus, chunk, target, rules):
    """Whole sentences; one that is too long goes on in the next sequence.

    In filled sequences so does any that is left without room.
    """
    sentences = corpus.sentences
    a = chunk[2]
    end = a
    while chunk[0] < chunk[1] and sentences[chunk[0] + 1] <= a + target:
        chunk[0] += 1
        end = sentences[chunk[0]]
    if end == a or (rules.is_filled and chunk[0] < chunk[1]):
        end = _last_word_begin(corpus.begins, a, a + target)
    chunk[2] = end
    # Joined documents have [SEP] between them; at the ends it says nothing.
    while a < end and corpus.ids[a] == rules.sep_id:
        a += 1
    while a < end and corpus.ids[end - 1] == rules.sep_id:
        end -= 1
    return a, end, end, end, 0


@njit()
def _draw_halves(corpus, chunk, rules, state):
    """Sentences up to a length, parted at about the half of it, or whole.

    A sentence that passes the half goes to either side. google-research's
    builder puts a later, short one to the first side again; here the order of
    the text stays. What is too long is cut off behind.
    """
    sentences = corpus.sentences
    target = rules.max_seq_length
    if mersenne.random(state) < rules.short_seq_prob:
        target = mersenne.randint(state, _SHORTEST_TARGET, target)
    begin, end = chunk[0], chunk[0] + 1
    a = sentences[begin]
    while end < chunk[1] and sentences[end] - a < target:
        end += 1
    chunk[0] = end
    room = rules.max_seq_length - 2
    middle = end
    if mersenne.random(state) >= _SINGLE_PROB:
        half = (target - 2 - rules.num_between) // 2
        middle = begin + 1
        while middle < end:
            is_passed = sentences[middle + 1] - a >= half
            may_stay = is_passed and sentences[middle] - a < half
            if is_passed and not (may_stay and mersenne.random(state) < 0.5):
                break
            middle += 1
    a_end = min(sentences[middle], a + room)
    b = sentences[middle]
    room = max(room - rules.num_between - (a_end - a), 0)
    return a, a_end, b, min(sentences[end], b + room), 0


@njit()
def _last_word_begin(begins, first, last):
    """Where to cut for a word to stay whole, if one begins behind `first`."""
    for place in range(last, first, -1):
        if len(begins) and begins[place]:
            return place
    return last


@njit()
def _random_segment(corpus, order, index, target, state):
    """Sentences of another document, at least one and `target` tokens."""
    # google-research/bert gives up after ten tries: in a corpus of one document
    # the "other" one is the same.
    other = index
    for _ in range(_TRIES_FOR_OTHER_DOCUMENT):
        other = mersenne.randint(state, 0, len(order) - 1)
        if other != index:
            break
    first = corpus.documents[order[other]]
    last = corpus.documents[order[other] + 1]
    begin = first + mersenne.randint(state, 0, last - first - 1)
    end = begin + 1
    b = corpus.sentences[begin]
    while end < last and corpus.sentences[end] - b < target:
        end += 1
    return b, corpus.sentences[end]


@njit()
def _truncate(a, a_end, b, b_end, max_tokens, state):
    """Takes tokens off the longer segment, front or back, until both fit."""
    while (a_end - a) + (b_end - b) > max_tokens:
        is_front = mersenne.random(state) < 0.5
        if a_end - a > b_end - b:
            a, a_end = (a + 1, a_end) if is_front else (a, a_end - 1)
        else:
            b, b_end = (b + 1, b_end) if is_front else (b, b_end - 1)
    return a, a_end, b, b_end
