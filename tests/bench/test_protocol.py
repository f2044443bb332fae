"""Tests of the protocol: every message comes back as it was sent, and what is no message is refused."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import ROOT, protocol
from bench.protocol import Block, Done, Message, Progress, decode, encode

KINDS: tuple[type[Message], ...] = get_args(Message)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(), JSON, max_size=4)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_every_message_survives_the_pipe(kind: type[Message], data: st.DataObject) -> None:
    """Whatever a field holds, line breaks and any script included: one line goes in, and an equal message comes out."""
    by_type = {
        "int": st.integers(),
        "str": st.text(),
        "float": st.floats(allow_nan=False),
        "bool": st.booleans(),
        "Json": OBJECTS,
        "dict[str, str]": st.dictionaries(st.text(), st.text()),
        "dict[str, int]": st.dictionaries(st.text(), st.integers()),
        "list[str]": st.lists(st.text()),
    }
    message = kind(**{field.name: data.draw(by_type[str(field.type)]) for field in fields(kind)})
    line = encode(message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode(line) == message


def test_a_loss_that_is_no_number_crosses_the_pipe() -> None:
    """A diverged model is a finding to report, not a broken worker."""
    answer = decode(encode(Done({"loss": float("nan"), "worst": float("inf")})))
    assert isinstance(answer, Done)
    assert answer.values["loss"] != answer.values["loss"]
    assert answer.values["worst"] == float("inf")


def test_a_message_says_its_kind_on_the_wire() -> None:
    """The line that the README of the protocol would show: readable, compact, the kind first."""
    block = Block("train", "fit", 512, repeats=8, each=False)
    line = b'{"kind":"block","phase":"train","path":"fit","batch_size":512,"repeats":8,"each":false}\n'
    assert encode(block) == line


@pytest.mark.parametrize(
    "line",
    [b'{"kind":"explode"}\n', b"{}\n", b"[1]\n", b'"block"\n', b"null\n", b'{"kind":null}\n', b'{"kind":"Block"}\n'],
)
def test_a_line_without_a_known_kind_is_refused_with_what_came(line: bytes) -> None:
    """A session must end a worker that speaks otherwise, so it must be able to tell."""
    with pytest.raises(ValueError, match="expected a message of kind hello, train") as caught:
        decode(line)
    assert repr(line) in str(caught.value)


@pytest.mark.parametrize("line", [b"", b"\n", b"W0000 tensorflow says hello\n", b'{"kind":"go"', b"\xff\xfe\n"])
def test_a_line_that_is_no_json_is_a_value_error(line: bytes) -> None:
    """A framework's chatter in the pipe, or a cut line, has one kind of error to catch."""
    with pytest.raises(ValueError):
        decode(line)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b'{"kind":"block","repeats":3,"each":true}\n', "phase"),
        (b'{"kind":"startup","recipe":"dense","colour":1}\n', "colour"),
        (b'{"kind":"train","recipe":"dense","seed":0,"epochs":{}}\n', "path"),
        (b'{"kind":"hello","protocol":0}\n', "backend"),
        (b'{"kind":"go","values":{}}\n', "values"),
    ],
)
def test_a_field_too_few_or_too_many_is_another_protocol(line: bytes, complaint: str) -> None:
    """A worker of another commit may know other fields: it is named, with the version that was expected."""
    with pytest.raises(ValueError, match=rf"does not fit protocol 6: .*{complaint}"):
        decode(line)


def test_messages_without_values_have_their_own() -> None:
    """Two answers never share one dictionary."""
    first, second = Done(), Done()
    first.values["loss"] = 1.0
    assert second.values == {}
    assert Progress().values == {}


def test_the_version_of_a_checkout_is_read_without_running_it(tmp_path: Path) -> None:
    """A base that cannot be spoken to is refused before a worker starts; a folder without a suite has no version."""
    assert protocol.version_of(ROOT) == protocol.PROTOCOL_VERSION
    assert protocol.version_of(tmp_path) is None
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "protocol.py").write_text("import no_such_module\n\nPROTOCOL_VERSION = 17\n")
    assert protocol.version_of(tmp_path) == 17
