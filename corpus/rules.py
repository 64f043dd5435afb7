"""All rules by which something is dropped or changed, in the order of work."""

from corpus import sentences
from corpus.cleaning.rules import RULES as CLEANING
from corpus.duplicates.config import RULES as DUPLICATES
from corpus.reading.rules import RULES as READING
from corpus.tally import Rule

_TABLES = (READING, CLEANING, sentences.RULES, DUPLICATES)
RULES: dict[str, Rule] = {x: table[x] for table in _TABLES for x in table}
assert len(RULES) == sum(map(len, _TABLES)), "a rule of two tables"
