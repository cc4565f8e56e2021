"""Finds the sentences of a template when it is loaded, and marks them to be said in the reader's language.

A template is plain English HTML. Text between tags, the attributes that people read, and the literals of expressions become
calls of `_`; a sentence that goes around a value or a link stays one sentence, with the value as `{name}` and the link as
`<1>...</1>`. Nobody has to mark anything but values that are sentences themselves: `{{ _(reason.sentence) }}`.
"""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from jinja2.ext import Extension

HOLE: Final = "\x1e\x1d"
"""Stands between the values of a sentence while a page is made; no text of a person holds it, forms and imports refuse it."""

_TOKEN = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->|<!doctype[^>]*>", re.DOTALL | re.IGNORECASE)
_TAG_START = re.compile(r"</?[a-zA-Z]")
_TAG_NAME = re.compile(r"</?([a-zA-Z0-9]+)")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_CLASS = re.compile(r'\bclass="([^"]*)"')
_READ = re.compile(
    r'(?<=[\s"}])(placeholder|aria-label|aria-description|title|alt|data-label|data-words|data-say-[a-z-]+)='
    r'"((?:\{\{.*?\}\}|\{%.*?%\}|[^"{]|\{(?![{%#]))*)"',
    re.DOTALL,
)
_LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_HUMAN = re.compile(r"^\s*(?:[A-Z][a-z]|[A-Z] [a-z])|[^\W\d_][.,:;?!]? [^\W\d_]")
_COMPARED = re.compile(r"(?:==|!=|\bin|\bin \((?:[^()]*)|\[|_\(|said=|\bplural\(|\.get\()\s*$")
_DECORATION = re.compile(r"\{\{-?\s*(?:ui\.)?(?:icon|csrf|csrf_token|chip|tag|copy_button)\(")
_SILENT: Final = frozenset({"script", "style", "pre", "code", "kbd", "svg", "textarea"})
_INLINE: Final = frozenset({"a", "strong", "em", "b", "i", "code", "time", "span", "kbd", "abbr", "q"})
_BLOCK_CLASSES: Final = re.compile(
    r"button|cell-|menu-item|nav-|skip|brand|tile|segment|choice|hint|optional|visually|label|live|chip|cluster|who|avatar"
    r"|num|card|story|hook|grow"
)
_SENTENCE_OF = re.compile(
    r"\{\{ ([a-z_][a-z_0-9.]*"
    r"(?:\.(?:sentence|meaning|explanation|hint|lead|why|submit|sees|touched|kind|zone|category|encryption|purpose|coverage"
    r"|waits_for|said|answer_words|asked|device_label|recovery|standing|hidden|method|verification|required_method"
    r"|required_verification|pattern_set|unknown_contents|expected|floor)|\.summarize\(\))) \}\}"
)
"""Values whose name says that they are sentences of ours, or words of our vocabulary."""
_VALUE = re.compile(r"\{\{ ([a-z_][a-z_0-9.]*) \}\}")
_WORDS_ALONE: Final = frozenset({"dt", "th", "legend"})
"""Elements that name things: what stands alone in one is a word of ours."""
_PLAIN: Final = frozenset({"none", "yes", "no", "now", "unknown", "nothing", "nobody", "never"})
"""Words that a page prints where there is no value, and that no template takes for a code there."""
_INSTEAD = re.compile(r"\b(?:or|else)\s*$")
_NAMES = re.compile(r"[a-zA-Z_][a-zA-Z_0-9]*")
_NO_NAMES: Final = frozenset(
    {"ui", "if", "else", "not", "and", "or", "is", "in", "none", "true", "false", "url_for", "console", "loop"}
)


@dataclass
class _Piece:
    """Text, an expression, a tag, or something a sentence cannot go across."""

    kind: str
    source: str
    children: list[_Piece] = field(default_factory=list)
    close: str = ""


def marked(source: str) -> str:
    """The template with every sentence marked."""
    return "".join(_runs(list(_pieces(source))))


class Marking(Extension):
    """Marks the templates of the console as they are loaded."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002 - Jinja's signature
        """The template as Jinja shall compile it."""
        return marked(source) if name and name.startswith("console/") else source


def _tag_end(source: str, start: int) -> int:
    """Where a tag ends that begins here; what Jinja writes inside it, and quoted text, may hold `>`."""
    quote, at = "", start
    while at < len(source):
        token = _TOKEN.match(source, at) if source[at] == "{" else None
        if token:
            at = token.end()
            continue
        char = source[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == ">":
            return at + 1
        at += 1
    return at


def _pieces(source: str) -> Iterator[_Piece]:
    at, text = 0, 0
    silent, attribute = "", False  # within an element that is not read; within an attribute that a macro writes
    while at < len(source):
        token = _TOKEN.match(source, at)
        tag = None if token else _TAG_START.match(source, at)
        if not token and not tag:
            at += 1
            continue
        if text < at:
            words = source[text:at]
            if words.endswith('="'):
                attribute = True
            elif words.startswith('"'):
                attribute = False
            yield _Piece("break" if silent or attribute or '="' in words or words.startswith('"') else "text", words)
        end = token.end() if token else _tag_end(source, at)
        piece = source[at:end]
        if token:
            yield _Piece("expression" if piece.startswith("{{") and not silent else "break", piece)
        else:
            name = _name(piece)
            inline = not silent and _is_inline(name, piece)
            if silent and piece.startswith("</") and name == silent:
                silent = ""
                inline = name in _INLINE
            elif not silent and name in _SILENT and not piece.startswith("</") and not piece.endswith("/>"):
                silent = name
            yield _Piece("inline" if inline and name not in _SILENT else "break", piece)
        at = text = end
    if text < at:
        yield _Piece("break" if silent else "text", source[text:at])


def _name(tag: str) -> str:
    found = _TAG_NAME.match(tag)
    return found.group(1).lower() if found else ""


def _is_inline(name: str, tag: str) -> bool:
    if name not in _INLINE:
        return False
    classes = _CLASS.search(tag)
    return not (classes and _BLOCK_CLASSES.search(classes.group(1)))


def _runs(pieces: list[_Piece]) -> Iterator[str]:
    """Sequences without a break between them, each with its inline tags nested; a tag without its partner is a break."""
    pieces = _paired(pieces)
    run: list[_Piece] = []
    within = ""
    for piece in pieces:
        if piece.kind == "break":
            yield _word(run[0]) if len(run) == 1 and within in _WORDS_ALONE else _said(_nested(run))
            run = []
            within = "" if piece.source.startswith(("</", "{")) else _name(piece.source)
            yield _tag(piece.source) if piece.source.startswith("<") else _statement(piece.source)
        else:
            run.append(piece)
    yield _said(_nested(run))


def _word(piece: _Piece) -> str:
    """The only content of an element that holds nothing but our words."""
    alone = _VALUE.fullmatch(piece.source) if piece.kind == "expression" else None
    return f"{{{{ _({alone.group(1)}) }}}}" if alone else _said([piece])


def _paired(pieces: list[_Piece]) -> list[_Piece]:
    stack: list[tuple[int, str]] = []
    partner: dict[int, int] = {}
    for place, piece in enumerate(pieces):
        if piece.kind == "break":
            stack.clear()
        elif piece.kind == "inline":
            name = _name(piece.source)
            if not piece.source.startswith("</"):
                stack.append((place, name))
            elif stack and stack[-1][1] == name:
                start, _ = stack.pop()
                partner[start], partner[place] = place, start
    return [
        _Piece("break", piece.source) if piece.kind == "inline" and place not in partner else piece
        for place, piece in enumerate(pieces)
    ]


def _nested(run: list[_Piece]) -> list[_Piece]:
    root: list[_Piece] = []
    stack = [root]
    for piece in run:
        if piece.kind != "inline":
            stack[-1].append(piece)
        elif piece.source.startswith("</"):
            stack.pop()
            stack[-1][-1].close = piece.source
        else:
            element = _Piece("element", piece.source)
            stack[-1].append(element)
            stack.append(element.children)
    return root


def _has_words(pieces: list[_Piece]) -> bool:
    return any(
        _LETTERS.search(html.unescape(piece.source)) if piece.kind == "text" else _has_words(piece.children)
        for piece in pieces
        if piece.kind in {"text", "element"}
    )


def _raw(pieces: list[_Piece]) -> str:
    return "".join(
        _tag(piece.source) + _raw(piece.children) + piece.close
        if piece.kind == "element"
        else _expression(piece.source)
        if piece.kind == "expression"
        else piece.source
        for piece in pieces
    )


def _said(pieces: list[_Piece]) -> str:
    """One run as Jinja shall print it."""
    if not _has_words(pieces):
        return _raw(pieces)
    first, last = 0, len(pieces)
    while first < last and _outside(pieces[first]):
        first += 1
    while last > first and _outside(pieces[last - 1]):
        last -= 1
    before, middle, after = pieces[:first], pieces[first:last], pieces[last:]
    if len(middle) == 1 and middle[0].kind == "element":
        one = middle[0]
        return _raw(before) + _tag(one.source) + _said(one.children) + one.close + _raw(after)
    if not any(piece.kind == "text" and _LETTERS.search(html.unescape(piece.source)) for piece in middle):
        inner = "".join(
            _tag(one.source) + _said(one.children) + one.close if one.kind == "element" else _raw([one])
            for one in middle
        )
        return _raw(before) + inner + _raw(after)
    return _raw(before) + _sentence(middle) + _raw(after)


def _outside(piece: _Piece) -> bool:
    """Whether a piece at the end of a run is no part of the sentence."""
    if piece.kind == "text":
        return not piece.source.strip()
    return piece.kind == "expression" and bool(_DECORATION.match(piece.source))


def _sentence(pieces: list[_Piece]) -> str:
    message: list[str] = []
    holes: list[str] = []
    _spell(pieces, message, holes, set())
    whole = "".join(message)
    text = " ".join(whole.split())
    start, end = whole[: len(whole) - len(whole.lstrip())], whole[len(whole.rstrip()) :]
    if not holes:
        return f"{start}{{{{ _({text!r}) }}}}{end}"
    filled = "".join(hole + HOLE for hole in holes)
    return f"{start}{{%+ filter told({text!r}) +%}}{filled}{{%+ endfilter +%}}{end}"


def _spell(pieces: list[_Piece], message: list[str], holes: list[str], taken: set[str]) -> None:
    for piece in pieces:
        if piece.kind == "text":
            message.append(html.unescape(piece.source))
        elif piece.kind == "expression" or not _has_words(piece.children):
            name = _hole_name(piece, taken)
            message.append(f"{{{name}}}")
            holes.append(_raw([piece]))
        else:
            number = str(1 + sum(name.isdigit() for name in taken))
            taken.add(number)
            message.append(f"<{number}>")
            holes.append(_tag(piece.source))
            _spell(piece.children, message, holes, taken)
            message.append(f"</{number}>")
            holes.append(piece.close)


def _hole_name(piece: _Piece, taken: set[str]) -> str:
    """A word of the expression: what stands before its first filter, last part first."""
    expressions = [piece] if piece.kind == "expression" else [one for one in _flat(piece) if one.kind == "expression"]
    source = expressions[0].source.strip("{}- ") if expressions else "value"
    source = _LITERAL.sub("", source.split("|")[0])
    words = [word for word in _NAMES.findall(source) if word not in _NO_NAMES]
    inner = [word for word in words if word not in {"when", "digest", "person_name", "state_chip"}]
    base = str((inner or words or ["value"])[-1])
    name = base
    count = 2
    while name in taken:
        name, count = f"{base}_{count}", count + 1
    taken.add(name)
    return name


def _flat(piece: _Piece) -> Iterator[_Piece]:
    for child in piece.children:
        yield child
        yield from _flat(child)


def _tag(source: str) -> str:
    """A tag with the attributes that people read marked."""
    if source.startswith("</") or "=" not in source:
        return source

    def said(found: re.Match[str]) -> str:
        value = _runs_of_value(found.group(2))
        return f'{found.group(1)}="{value}"'

    return _READ.sub(said, source)


def _runs_of_value(value: str) -> str:
    pieces: list[_Piece] = []
    at = 0
    for token in _TOKEN.finditer(value):
        if at < token.start():
            pieces.append(_Piece("text", value[at : token.start()]))
        pieces.append(_Piece("expression" if token.group().startswith("{{") else "break", token.group()))
        at = token.end()
    if at < len(value):
        pieces.append(_Piece("text", value[at:]))
    return "".join(_runs(pieces))


def _statement(source: str) -> str:
    """`set` and `call` hand sentences on, and `macro` has some to begin with; the other statements compare."""
    return _expression(source) if re.match(r"\{%-?\+?\s*(?:set|call|macro)\b", source) else source


def _expression(source: str) -> str:
    """An expression with its literals marked, unless they are compared with something."""

    def said(found: re.Match[str]) -> str:
        text = found.group(1) if found.group(1) is not None else found.group(2)
        before, after = source[: found.start()], source[found.end() :].lstrip()
        compared = _COMPARED.search(before) or after.startswith((":", "==", "!=", "in "))
        plain = text in _PLAIN and (
            _INSTEAD.search(before) or (after.startswith("if ") and not before.rstrip().endswith("="))
        )
        return f"_({found.group()})" if not compared and (plain or _HUMAN.search(text)) else str(found.group())

    alone = _SENTENCE_OF.fullmatch(source)
    if alone:
        return f"{{{{ _({alone.group(1)}) }}}}"
    return _LITERAL.sub(said, source)


def sentences(source: str) -> list[str]:
    """Every sentence a template says, in order."""
    made = marked(source)
    calls = re.finditer(r"(?:\b_|filter told)\(('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")", made)
    found = [_unquoted(call.group(1)) for call in calls]
    for one, many in re.findall(r"plural\('([^']+)'(?:,\s*'([^']+)')?\)", made):
        found += [f"{{count}} {one}", f"{{count}} {many or one + 's'}"]
    return found


def _unquoted(literal: str) -> str:
    return str(ast.literal_eval(literal))
