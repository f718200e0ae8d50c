"""How every benchmark of this project ends: a table for people, then one line of JSON for programs."""

import json

from rich.console import Console
from rich.table import Table


def print_report(title: str, columns: list[str], rows: list[list[str]], ratios: dict[str, float]) -> None:
    print_table(title, columns, rows)
    print(json.dumps(ratios))


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*row)
    Console(width=100).print(table)
