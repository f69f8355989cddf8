"""The key=value line that both daemons write: `SUBJECT: EVENT key=value key="quoted value"`."""
import re

_LINE = re.compile(r"(?:^|\s)(?P<subject>\S*): (?P<event>\S+)(?P<fields>(?: [\w.-]+=\S.*)?)$")
_FIELD = re.compile(r' ([\w.-]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))')


def parse(line):
    """A dict of the fields with `subject` and `event`; None if the line is something else."""
    match = _LINE.search(line)
    if not match:
        return None
    fields = {"subject": match["subject"], "event": match["event"]}
    for key, quoted, plain in _FIELD.findall(match["fields"]):
        fields[key] = re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
    return fields
