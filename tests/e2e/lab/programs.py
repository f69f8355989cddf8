"""Where the daemons under test are, and how their configuration is written."""
import os

REPOSITORY = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))


def path_of(name):
    """MILLRACE_BIN, or the release build of this repository."""
    directory = os.environ.get("MILLRACE_BIN", os.path.join(REPOSITORY, "build/release/bin"))
    path = os.path.join(directory, name)
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"{path}: build it first: cmake --preset release && "
                                "cmake --build --preset release")
    return path


def render(settings):
    """The INI text of {key: value, section: {key: value}}. A list is a repeated key."""
    plain = {key: value for key, value in settings.items() if not isinstance(value, dict)}
    sections = {key: value for key, value in settings.items() if isinstance(value, dict)}
    lines = _keys(plain)
    for name, keys in sections.items():
        lines += ["", f"[{name}]", *_keys(keys)]
    return "\n".join(lines) + "\n"


def _keys(values):
    lines = []
    for key, value in values.items():
        for each in value if isinstance(value, (list, tuple)) else [value]:
            lines.append(f"{key} = {each}")
    return lines


def merge(settings, changes):
    """`settings` with `changes` laid over them, section by section. None removes a key."""
    merged = {key: dict(value) if isinstance(value, dict) else value
              for key, value in settings.items()}
    for key, value in changes.items():
        if isinstance(value, dict):
            merged[key] = merge(merged.get(key, {}), value)
        elif value is None:
            merged.pop(key, None)
        else:
            merged[key] = value
    return merged
