from __future__ import annotations

import json
from typing import Any

import pytest

from framedex.core.errors import InvalidArguments
from framedex.core.filters import translate_preset
from framedex.core.filters.ast import And, Between, Compare, Field, In, IsNull, Node, Not, Operator, Or
from framedex.core.metadata.values import Instant

ZERO = "00000000-0000-0000-0000-000000000000"
K = Field("k")


def preset(*filters: object) -> str:
    return json.dumps({"local_filters": {ZERO: {"filters": []}}, "global_filters": {"filters": list(filters)}})


def one(values: list[Any], kind: str | None, **more: object) -> Node:
    found: dict[str, object] = {"key": "k", "include": True, "values": values, **more}
    return translate_preset(preset(found if kind is None else {**found, "type": kind}))


@pytest.mark.parametrize(
    ("values", "kind", "node"),
    [
        ([1, 5], "number", Between(K, 1, 5)),
        ([None, 5], "number", Between(K, None, 5)),
        ([None, None], "number", Between(K, None, None)),
        ([1], "number", Compare(K, Operator.EQUAL, 1)),
        ([1, 2, 3], "number", In(K, (1, 2, 3))),
        (["1970-01-01", None], "datetime", Between(K, Instant(0), None)),
        (["a", "b"], "varchar", In(K, ("a", "b"))),
        (["a"], "enum", Compare(K, Operator.EQUAL, "a")),
        (["a", None], "text", Or((Compare(K, Operator.EQUAL, "a"), IsNull(K)))),
        ([None], "text", IsNull(K)),
        ([True], "boolean", Compare(K, Operator.EQUAL, True)),
        (["false", True], "boolean", In(K, (False, True))),
        (
            ["7F9C24E8-3B12-4E4F-9A1E-2B0E9A6F1C11"],
            "uuid",
            Compare(K, Operator.EQUAL, "7f9c24e8-3b12-4e4f-9a1e-2b0e9a6f1c11"),
        ),
        ([1, 2], None, Between(K, 1, 2)),
        (["a", "b"], None, In(K, ("a", "b"))),
    ],
)
def test_translate_preset__by_type(values: list[Any], kind: str | None, node: Node) -> None:
    assert one(values, kind) == node


def test_translate_preset__exclude_negates() -> None:
    assert one(["a"], "enum", include=False) == Not(Compare(K, Operator.EQUAL, "a"))


def test_translate_preset__local_and_global_filters_all_hold() -> None:
    text = json.dumps(
        {
            "localFilters": {ZERO: {"filters": [{"key": "$type", "values": ["video"]}]}},
            "globalFilters": {"filters": [{"key": "k", "values": [1, 2]}]},
        }
    )
    builtin = Field("type", is_builtin=True)
    assert (
        translate_preset(json.loads(text))
        == translate_preset(text)
        == And((Compare(builtin, Operator.EQUAL, "video"), Between(K, 1, 2)))
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}", "at least one filter"),
        (preset(), "at least one filter"),
        ("{", "not valid JSON"),
        ('{"filters":[]}', "local_filters and global_filters"),
        (preset({"metric": "area", "range": [0, 1]}), "metric, range"),
        (preset({"key": "k", "values": []}), "at least one value"),
        (preset({"key": "k", "values": ["12"], "type": "number"}), "no value of the type number"),
        (preset({"key": "k", "values": ["x"], "type": "datetime"}), "no value of the type datetime"),
        (preset({"key": "k", "values": [[1]], "type": "embedding"}), "'embedding' are not known"),
        (preset({"key": "$colour", "values": ["x"]}), "no field $colour"),
        (preset({"key": "k", "values": ["x"], "include": 1}), "include"),
        (preset("x"), "object"),
    ],
)
def test_translate_preset__refuses_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidArguments) as caught:
        translate_preset(text)
    assert reason in caught.value.message
