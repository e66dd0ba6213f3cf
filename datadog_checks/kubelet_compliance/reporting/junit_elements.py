# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The elements of JUnit XML: test cases, and what happened to them."""

from __future__ import annotations

from xml.etree import ElementTree as xml

from .report import printable


def element(tag: str, text: str | None = None, **attributes: str) -> xml.Element:
    """An element with only characters that XML allows: all printable characters, and line breaks in its text."""
    found = xml.Element(tag, {name: printable(value) for name, value in attributes.items()})
    found.text = text
    return found


def case_in(suite: str, name: str, *inside: xml.Element) -> xml.Element:
    """A test case of a suite. It passed if nothing inside says otherwise."""
    case = element('testcase', classname=suite, name=name, time='0')
    case.extend(inside)
    return case
