# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Scan YAML into tokens as goyaml.v2 does, where PyYAML does something else.

goyaml.v2 is a port of an older libyaml than PyYAML's, with changes of its own. PyYAML's own parser has the same origin,
so this module overrides only the methods that differ. Each follows the function of that name in goyaml.v2 scannerc.go.
"""

from __future__ import annotations

import re
from typing import NoReturn

import yaml

from .patterns import repeated

BREAKS = '\r\n\x85\u2028\u2029'
BREAKZ = '\0' + BREAKS
BLANKZ = ' \t' + BREAKZ
WORD_OF_BLOCK = re.compile(repeated(rf'[^{BLANKZ}:]|:(?![{BLANKZ}])', 1))
WORD_OF_FLOW = re.compile(repeated(rf'[^{BLANKZ}:,?\[\]{{}}]|:(?![{BLANKZ}])', 1))
REST_OF_LINE = re.compile(f'[^{BREAKZ}]*+')
SPACES = re.compile(' *+')
BLANKS = re.compile('[ \t]*+')
URI = frozenset('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_;/?:@&=+$,.!~*\'()[]%')
HANDLE_LETTERS = frozenset('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_')
MOST_VERSION_DIGITS = 2
MOST_LETTERS_OF_A_KEY = 1024
SURROGATE = re.compile('[\ud800-\udfff]')

READ_DIFFERENTLY = re.compile(rb"[!?\t%]|\\[/']|:[,\[\]{}]|[|>][-+0-9]*#|\xef\xbb\xbf")
"""Bytes that PyYAML's libyaml can read differently. A text without them needs no scanner of our own."""


class GoParser(yaml.SafeLoader):
    """PyYAML's parser, with the scanner of goyaml.v2."""

    ESCAPE_REPLACEMENTS = {  # type: ignore[misc]
        **{letter: text for letter, text in yaml.SafeLoader.ESCAPE_REPLACEMENTS.items() if letter != '/'},
        "'": "'",
    }

    def fail(self, what: str) -> NoReturn:
        raise yaml.scanner.ScannerError(None, None, what, self.get_mark())

    def take(self, pattern: re.Pattern[str]) -> str:
        """Consume and return what a pattern matches here. It must not match a line break."""
        match = pattern.match(self.buffer, self.pointer)
        text = match[0] if match is not None else ''
        self.pointer += len(text)
        self.index += len(text)
        self.column += len(text)
        return text

    def skip_comment(self) -> None:
        if self.peek() == '#':
            self.take(REST_OF_LINE)

    def skip_rest_of_line(self) -> None:
        """Skip blanks and a comment to the end of the line. Fails for anything else."""
        self.take(BLANKS)
        self.skip_comment()
        if self.peek() not in BREAKZ:
            self.fail('unexpected text at the end of the line')
        self.line_break()

    def stale_possible_simple_keys(self) -> None:
        # They are in the order of the text: if one is not stale, no later one is. So deep nesting costs nothing.
        while (level := next(iter(self.possible_simple_keys), None)) is not None:
            key = self.possible_simple_keys[level]
            if key.line == self.line and self.index - key.index <= MOST_LETTERS_OF_A_KEY:
                return
            if key.required:
                self.fail('a key has no colon')
            del self.possible_simple_keys[level]

    def next_possible_simple_key(self) -> int | None:
        return next((key.token_number for key in self.possible_simple_keys.values()), None)

    def line_break(self) -> str:
        found: str = self.scan_line_break()  # type: ignore[no-untyped-call]
        return found

    def is_document_mark(self) -> bool:
        return self.column == 0 and self.prefix(3) in ('---', '...') and self.peek(3) in BLANKZ

    def scan_to_next_token(self) -> None:
        if self.index == 0 and self.peek() == '\ufeff':
            self.forward()
        while True:
            # Tabs are allowed wherever no key can begin.
            self.take(BLANKS if self.flow_level or not self.allow_simple_key else SPACES)
            self.skip_comment()
            if not self.line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def scan_flow_scalar(self, style: str) -> yaml.ScalarToken:
        token: yaml.ScalarToken = super().scan_flow_scalar(style)
        if SURROGATE.search(token.value):
            self.fail('an escape is not a valid character')
        return token

    def scan_plain(self) -> yaml.ScalarToken:
        chunks: list[str] = []
        start = end = self.get_mark()
        space, is_new_line = '', False
        while not self.is_document_mark() and self.peek() != '#':
            word = self.take(WORD_OF_FLOW if self.flow_level else WORD_OF_BLOCK)
            if word:
                chunks += (space, word)
                space, is_new_line = '', False
                end = self.get_mark()
            if self.peek() not in ' \t' + BREAKS:
                break
            space, is_new_line = self.scan_plain_space(space, is_new_line)
            if not self.flow_level and self.column < self.indent + 1:
                break
        if is_new_line:
            self.allow_simple_key = True
        return yaml.ScalarToken(''.join(chunks), True, start, end)

    def scan_plain_space(self, space: str, is_new_line: bool) -> tuple[str, bool]:
        """The value of the blanks and line breaks between two words, and whether there was a line break."""
        breaks: list[str] = []
        while (letter := self.peek()) in ' \t' + BREAKS:
            if letter in BREAKS:
                breaks.append(self.line_break())
            elif not breaks and not is_new_line:
                space += self.take(BLANKS)
            elif self.take(SPACES) == '':
                if self.column < self.indent + 1:
                    self.fail('a tab where only spaces are allowed')
                self.forward()
        if not breaks:
            return space, is_new_line
        first, *more = breaks
        return (' ' if first == '\n' and not more else ''.join(more) if first == '\n' else ''.join(breaks)), True

    def scan_tag(self) -> yaml.TagToken:
        start = self.get_mark()
        handle: str | None = None
        if self.peek(1) == '<':
            self.forward(2)
            suffix = self.scan_uri('')
            if self.peek() != '>':
                self.fail('a tag has no end')
            self.forward()
        else:
            handle = self.scan_handle()
            if len(handle) > 1 and handle[-1] == '!':
                suffix = self.scan_uri('')
            else:
                handle, suffix = '!', self.scan_uri(handle)
                if not suffix:
                    handle, suffix = None, '!'
        if self.peek() not in BLANKZ:
            self.fail('no blank after a tag')
        return yaml.TagToken((handle, suffix), start, self.get_mark())

    def scan_handle(self) -> str:
        if self.peek() != '!':
            self.fail('a tag has no handle')
        length = 1
        while self.peek(length) in HANDLE_LETTERS:
            length += 1
        length += self.peek(length) == '!'
        handle: str = self.prefix(length)
        self.forward(length)
        return handle

    def scan_uri(self, head: str) -> str:
        """The rest of a tag after `head`. The `!` in `head` counts as content, but is not part of the text."""
        chunks = [head[1:]]
        is_empty = not head
        while self.peek() in URI:
            is_empty = False
            if self.peek() == '%':
                chunks.append(self.scan_uri_escapes('tag', self.get_mark()))
            else:
                chunks.append(self.peek())
                self.forward()
        if is_empty:
            self.fail('a tag is empty')
        return ''.join(chunks)

    def scan_tag_directive_value(self, start_mark: yaml.Mark) -> tuple[str, str]:
        self.take(BLANKS)
        handle = self.scan_handle()
        if handle != '!' and handle[-1] != '!' or self.peek() not in ' \t':
            self.fail('a %TAG has no handle')
        self.take(BLANKS)
        prefix = self.scan_uri('')
        if self.peek() not in BLANKZ:
            self.fail('no blank after a %TAG')
        return handle, prefix

    def scan_directive(self) -> yaml.DirectiveToken:
        start = self.get_mark()
        self.forward()
        name = self.scan_directive_name(start)
        value: tuple[int, int] | tuple[str, str]
        if name == 'YAML':
            self.take(BLANKS)
            value = self.scan_yaml_directive_value(start)
        elif name == 'TAG':
            value = self.scan_tag_directive_value(start)
        else:
            self.fail('a directive is unknown')
        end = self.get_mark()
        self.skip_rest_of_line()
        return yaml.DirectiveToken(name, value, start, end)

    def scan_directive_name(self, start_mark: yaml.Mark) -> str:
        length = 0
        while self.peek(length) in HANDLE_LETTERS:
            length += 1
        if not length or self.peek(length) not in BLANKZ:
            self.fail('a directive has no name')
        name: str = self.prefix(length)
        self.forward(length)
        return name

    def scan_yaml_directive_value(self, start_mark: yaml.Mark) -> tuple[int, int]:
        major = self.scan_yaml_directive_number(start_mark)
        if self.peek() != '.':
            self.fail('a version has no dot')
        self.forward()
        return major, self.scan_yaml_directive_number(start_mark)

    def scan_yaml_directive_number(self, start_mark: yaml.Mark) -> int:
        length = 0
        while '0' <= self.peek(length) <= '9':
            length += 1
        if not 0 < length <= MOST_VERSION_DIGITS:
            self.fail('a version is not a number')
        value = int(self.prefix(length))
        self.forward(length)
        return value

    def scan_block_scalar_indicators(self, start_mark: yaml.Mark) -> tuple[bool | None, int | None]:
        chomping: bool | None = None
        increment: int | None = None
        for _ in range(2):
            letter = self.peek()
            if letter in '+-' and chomping is None:
                chomping = letter == '+'
            elif letter in '123456789' and increment is None:
                increment = int(letter)
            else:
                break
            self.forward()
        return chomping, increment

    def scan_block_scalar_ignored_line(self, start_mark: yaml.Mark) -> None:
        self.skip_rest_of_line()

    def scan_block_scalar_indentation(self) -> tuple[list[str], int, yaml.Mark]:
        chunks: list[str] = []
        max_indent = 0
        end = self.get_mark()
        while True:
            self.take(SPACES)
            max_indent = max(max_indent, self.column)
            if self.peek() == '\t':
                self.fail('a tab where only spaces are allowed')
            if self.peek() not in BREAKS:
                return chunks, max_indent, end
            chunks.append(self.line_break())
            end = self.get_mark()

    def scan_block_scalar_breaks(self, indent: int) -> tuple[list[str], yaml.Mark]:
        chunks: list[str] = []
        end = self.get_mark()
        while True:
            while self.column < indent and self.peek() == ' ':
                self.forward()
            if self.column < indent and self.peek() == '\t':
                self.fail('a tab where only spaces are allowed')
            if self.peek() not in BREAKS:
                return chunks, end
            chunks.append(self.line_break())
            end = self.get_mark()
