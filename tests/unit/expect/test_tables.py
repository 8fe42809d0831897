"""Tables as kubectl prints them: by column, empty cells included."""

from __future__ import annotations

import pytest

from harness.expect.tables import judge_table, parse_tables

ENDPOINTS = """\
NAME      INTERFACE   IPV4POOL   IPV4              IPV6POOL   IPV6   NODE
nginx-1   net1        10-6-v4    10.6.212.145/16                     worker01
nginx-2   net1        10-6-v4    10.6.212.148/16                     controller
"""
ALL = """\
NAME         READY   STATUS    NOMINATED NODE   READINESS GATES
pod/dns-1    1/1     Running   <none>           <none>

NAME          TYPE        CLUSTER-IP   PORT(S)
service/dns   ClusterIP   10.233.0.3   53/UDP,53/TCP
"""
COLUMNS = ("NAME", "INTERFACE", "IPV4POOL", "IPV4", "IPV6POOL", "IPV6", "NODE")


def problem(
    text: str, *rows: dict[str, str], columns: tuple[str, ...] = (), count: int | None = None
) -> str | None:
    finding = judge_table(text, columns, rows, count)
    return finding.problem if finding else None


def test_empty_cells_stay_in_their_columns() -> None:
    (table,) = parse_tables(ENDPOINTS)
    assert table.columns == COLUMNS
    assert table.rows[0]["IPV6POOL"] == "" and table.rows[0]["NODE"] == "worker01"


def test_several_tables_and_names_of_two_words() -> None:
    pods, services = parse_tables(ALL)
    assert pods.rows[0]["NOMINATED NODE"] == "<none>"
    assert services.rows == (
        {
            "NAME": "service/dns",
            "TYPE": "ClusterIP",
            "CLUSTER-IP": "10.233.0.3",
            "PORT(S)": "53/UDP,53/TCP",
        },
    )


def test_what_is_printed_is_found() -> None:
    row = {"NAME": "nginx-2", "IPV6": "", "NODE": "controller"}
    assert problem(ENDPOINTS, row, columns=COLUMNS, count=2) is None
    assert problem(ALL, {"NAME": "service/dns"}, count=2) is None
    assert problem("", count=0) is None


@pytest.mark.parametrize(
    ("rows", "columns", "count", "words"),
    [
        (
            [{"NAME": "nginx-1", "NODE": "controller", "INTERFACE": "net1"}],
            (),
            None,
            "no row has NAME 'nginx-1', NODE 'controller', INTERFACE 'net1'; the nearest has N",
        ),
        ([{"AGE": "1m", "NAME": "nginx-1"}], (), None, "the nearest has AGE 'no such column'"),
        ([], ("NAME",), None, "the columns are NAME INTERFACE IPV4POOL"),
        ([], (), 3, "there are 2 rows, not 3"),
    ],
)
def test_what_is_not_printed_is_named(
    rows: list[dict[str, str]], columns: tuple[str, ...], count: int | None, words: str
) -> None:
    assert words in (problem(ENDPOINTS, *rows, columns=columns, count=count) or "")


def test_nothing_printed_has_no_rows() -> None:
    assert problem("", {"NAME": "x"}) == "no row has NAME 'x', there are no rows"
    assert problem("", columns=("NAME",)) == "the columns are none at all, not NAME"
