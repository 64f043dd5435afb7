"""Whether an English full stop ends its sentence or belongs to a word.

    He met Dr. Wu at 5 p.m. in St. Louis. She paid No. 7 $3.50, i.e. too much.
             no        no     no        yes        no         no

A stop ends a sentence unless what is before it is known to be written with
one. After some of those it may do both; then the next word decides: "The" and
"He" with a capital begin sentences, names seldom do.
"""

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Stand before a name, or between two things: never at an end.
_NEVER = _words(
    "mr mrs ms messrs mme mlle dr drs prof rev fr hon gen gov sen rep reps lt "
    "col maj capt cmdr comdr sgt cpl pvt adm brig supt pres atty asst assoc "
    "st mt ft msgr insp det supp e.g i.e eg ie vs v viz cf al ca approx "
    "resp incl esp ste dept wm jas chas thos geo jos benj eqn eqns cit ibid"
)
# Stand before a number; "No." is a sentence of its own before anything else.
_BEFORE_NUMBER = _words(
    "no nos fig figs eq eqs stat app p pp vol vols ch chap sec secs art arts "
    "nr pt pts par pars sect tab bk op c ver v "
    "jan feb mar apr jun jul aug sep sept oct nov dec"
)
# Are written with a stop in the middle of a sentence, and at its end.
_EITHER = _words(
    "inc co corp ltd bros llc plc jr sr esq etc ave blvd rd hwy bldg univ "
    "inst dist ry gm ed eds est mfg mgr natl intl assn acad ext tel min max "
    "hr hrs mi ft lb lbs oz gal yd yds sq cu mph kg km cm mm mg "
    "jan feb mar apr jun jul aug sep sept oct nov dec "
    "mon tue tues wed thu thur thurs fri sat sun "
    "ala ariz ark calif colo conn del fla ga ill ind kan ky la md mass mich "
    "minn miss mo mont neb nev okla ore pa penn tenn tex va vt wash wis wyo "
    "ph.d m.d b.a m.a"
)
# Begin sentences more often than names.
_BEGINS = _words(
    "A About After Again All Also Although Always Among An And Another Any "
    "Are As At Because Before Both But By Can Could Did Do Does During Each "
    "Even Every Everyone Few Finally First For From Had Has Have He Her Here "
    "His How However I If I'm I've I'll In Indeed Instead Is It Its It's Just "
    "Last Later Let Like Many Maybe Meanwhile More Moreover Most Much My "
    "Neither Never Next No Nobody None Nor Not Nothing Now Of Often On Once "
    "One Only Or Other Others Our Over Perhaps Please Second Several She "
    "Should Since So Some Someone Sometimes Soon Still Such Than That That's "
    "The Their Then There Therefore These They This Those Though Three Through "
    "Thus To Today Two Under Unless Until Upon Was We Were What When Where "
    "Whether Which While Who Whose Why Will With Within Without Would Yes Yet "
    "You Your"
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_LAST_WORD = re.compile(r"[A-Za-zÀ-ʯ0-9.&]*$")
# No word that is written with a stop is longer.
_LONGEST = 12
_OPENERS = " \"'“‘([{<《「『（*#_"


def ends(text: str, start: int, stop: int, following: int) -> bool:
    """Returns whether the full stop at `stop` ends a sentence.

    Args:
        text: a paragraph.
        start: where the sentence begins.
        stop: place of the full stop.
        following: place of the next thing that is no blank and opens nothing;
            below the end of the text.
    """
    match = _LAST_WORD.search(text[max(start, stop - _LONGEST) : stop])
    word = match[0] if match else ""
    if len(word) in (0, _LONGEST):
        return True
    begin = stop - len(word)
    is_number = word.isdigit()
    is_first = begin - start < _LONGEST
    is_first = is_first and not text[start:begin].strip(_OPENERS)
    if is_first and (is_number or len(word) == 1):
        return False  # An item's: "1. ", "A. ".
    if is_number:
        return text[following].isascii()
    known = word.lower()
    if known in _NEVER:
        return False
    if known in _BEFORE_NUMBER and text[following].isdigit():
        return False
    may_be_inside = known in _EITHER or _is_initials(word)
    return not may_be_inside or _begins(text, following)


def _is_initials(word: str) -> bool:
    """Whether it is J, or U.S, or a.m: letters with stops between."""
    if len(word) == 1:
        return word.isalpha()
    return "." in word and all(len(part) == 1 for part in word.split("."))


def _begins(text: str, place: int) -> bool:
    match = _WORD.match(text, place)
    if not match or match[0] not in _BEGINS:
        return False
    # Not "J. A. Grant".
    return len(match[0]) > 1 or not text.startswith(".", match.end())
