"""A run for people: lines while it goes, a table and a sentence at its end."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.run.events import Ended, Event, Judged, Result, Started, Step

_MARKS = {
    Result.PASSED: ("ok", "green"),
    Result.FAILED: ("FAIL", "bold red"),
    Result.NOT_REACHED: ("--", "yellow"),
}


class LiveView:
    """Prints events as they come; on a terminal in colour, elsewhere plain."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._judged: list[Judged] = []
        self._failed_step = ""

    def show(self, event: Event) -> None:
        """Print one event; the last one prints the table."""
        match event:
            case Started():
                self._print(f"{event.scenario}: {event.summary}", "bold")
            case Step(problem=""):
                self._print(f"  {event.text} ({event.seconds:.2f} s)", "dim")
            case Step():
                self._failed_step = f"{event.where}: {event.text}: {event.problem}"
                self._print(f"  {self._failed_step}", "bold red")
            case Judged():
                self._judged.append(event)
                if event.result is not Result.NOT_REACHED:
                    self._verdict(event)
            case Ended():
                self._end(event)

    def _verdict(self, event: Judged) -> None:
        mark, style = _MARKS[event.result]
        line = Text(f"  {mark:>4}  ", style=style)
        line.append(event.id, style="")
        if event.result is not Result.PASSED:
            line.append(f"  {event.where}: {event.sentence}", style=style)
        self._console.print(line, soft_wrap=True)
        if event.result is Result.FAILED:
            for detail in event.details:
                self._print(f"          {detail}", "dim")

    def _end(self, event: Ended) -> None:
        self._console.print(self._table())
        for name, seconds in event.timings.items():
            self._print(f"{name:>24}  {seconds:6.2f} s", "dim")
        if event.cannot:
            self._print(f"it cannot run here: {event.cannot}", "yellow")
        if problem := event.problem or self._failed_step:
            self._print(f"stopped: {problem}", "bold red")
        count = Counter(judged.result for judged in self._judged)
        words = ", ".join(f"{count[result]} {result}" for result in Result if count[result])
        self._print(f"{words or 'nothing was judged'} in {event.seconds:.2f} s", "bold")

    def _table(self) -> Table:
        table = Table(box=None, header_style="bold", pad_edge=False)
        table.add_column("expectation", no_wrap=True)
        table.add_column("result")
        table.add_column("ms", justify="right")
        table.add_column("what was seen")
        for event in self._judged:
            mark, style = _MARKS[event.result]
            sentence = event.sentence.removeprefix(f"{event.id}: ")
            milliseconds = f"{event.seconds * 1000:.0f}"
            table.add_row(Text(event.id), Text(mark, style), milliseconds, Text(sentence))
        return table

    def _print(self, text: str, style: str) -> None:
        self._console.print(Text(text, style=style), soft_wrap=True)
