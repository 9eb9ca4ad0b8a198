# SPDX-License-Identifier: Apache-2.0
# guide.py - docs/adopt.md as the steps run it: its fenced blocks that carry the name of a step behind their language.
#   nginx step-1 /etc/nginx/x.conf                        the file, whole
#   nginx step-1 /etc/nginx/x.conf before: location / {   put into it, before that line
#   sh step-1 do | see | back                             typed in the folder of the sources; `back` is one line
#   text step-1 see                                       what the block before it prints
# In what it prints a number stands for any number, blanks for any blanks, and ... for anything.
import collections
import os
import re

from world import ROOT, Wrong

FENCE = re.compile(r"^```(\w+) (step-\S+) (.+?)\n(.*?)^```$", re.M | re.S)
Block = collections.namedtuple("Block", "language step what text")


def read(path=os.path.join(ROOT, "docs", "adopt.md")):
    """{step: [Block]} in the order of the guide."""
    with open(path) as f:
        found = [Block(*m.groups()) for m in FENCE.finditer(f.read())]
    steps = collections.OrderedDict()
    for block in found:
        steps.setdefault(block.step, []).append(block)
    return steps


def only(blocks, what, language="sh"):
    found = [b for b in blocks if b.what == what and b.language == language]
    if len(found) != 1:
        raise Wrong(f"the guide has {len(found)} blocks `{language} {what}` where one was expected")
    return found[0]


def back(blocks):
    lines = only(blocks, "back").text.strip().split("\n")
    if len(lines) != 1:
        raise Wrong(f"{blocks[0].step}: its way back is {len(lines)} lines, not one")
    return lines[0]


def write(block):
    path, _, before = block.what.partition(" before: ")
    text = block.text
    if before:
        with open(path) as f:
            lines = f.read().split("\n")
        at = [i for i, line in enumerate(lines) if line.strip() == before]
        if len(at) != 1:
            raise Wrong(f"{path}: the line {before!r} is there {len(at)} times")
        lines[at[0]:at[0]] = text.rstrip("\n").split("\n")
        text = "\n".join(lines)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def _line(expected):
    parts = re.split(r"(\.\.\.|\d[\d.,:]*|\s+)", expected.strip())
    return "".join(".*" if p == "..." else r"\d[\d.,:]*" if p[:1].isdigit() else r"\s+" if p.isspace() else re.escape(p) for p in parts)


def differs(expected, printed):
    """None, or the first line of the guide that was not printed there. A line of only ... stands for any lines."""
    # the steps kill evenkeel between what the guide does, and from then on it says what that cost
    printed = re.sub(r"\n+it ended without a farewell at [^\n]*", "", printed)
    lines = [line.strip() for line in printed.strip().split("\n")]
    at, anything = 0, False
    for wanted in expected.strip().split("\n"):
        if wanted.strip() == "...":
            anything = True
            continue
        pattern = re.compile(_line(wanted) + "$")
        while anything and at < len(lines) and not pattern.match(lines[at]):
            at += 1
        if at >= len(lines) or not pattern.match(lines[at]):
            return wanted
        at, anything = at + 1, False
    return None if anything or at == len(lines) else f"(and no more, but it printed {lines[at]!r})"
