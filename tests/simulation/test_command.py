"""The command and the making-small of failures."""

from pathlib import Path

import msgspec
import pytest

from kcjl.settings import StockSettings
from tests.simulation.__main__ import main
from tests.simulation.faults import Fault
from tests.simulation.laws import Broken
from tests.simulation.minimise import minimised
from tests.simulation.scenario import Scenario, draw
from tests.simulation.seeds import Tally, chunks, run_span

SMALL = Scenario(seed=3, orders_a_day=4.0, skus=20)


def _breaks_by_stale_reads_and_a_death(scenario: Scenario) -> tuple[Broken, ...]:
    """As if a bug showed only where a read is stale and a process dies."""
    if scenario.faults.stale.share and scenario.deaths_h:
        return (Broken(law=4, checker="figures", message="too much was offered"),)
    return ()


def test_failure_is_made_as_small_as_what_breaks_the_law() -> None:
    """Whoever looks for the cause sees nothing that has no part in it."""
    large = draw(1)
    large = large.with_(
        deaths_h=(1.0, 2.0, 3.0),
        faults=msgspec.structs.replace(
            large.faults, stale=Fault(share=0.1), moving=Fault(share=0.1)
        ),
    )
    (broken,) = _breaks_by_stale_reads_and_a_death(large)

    small = minimised(large, broken, run=_breaks_by_stale_reads_and_a_death, runs_max=500)

    assert ("stale",) == small.faults.kinds
    assert 1 == len(small.deaths_h)
    assert () == small.takeovers_h
    assert 3.0 == small.orders_a_day


def test_failure_stays_as_it_is_when_nothing_smaller_fails() -> None:
    """And it is never exchanged for another one."""
    broken = Broken(law=1, checker="chain", message="a link is missing")

    assert SMALL == minimised(SMALL, broken, run=lambda _: ())


def test_scenario_out_of_a_file_keeps_the_settings_of_its_merchant(tmp_path: Path) -> None:
    """Whatever a seed draws is run again as it was, sections of settings and all."""
    drawn = next(each for each in map(draw, range(1, 100)) if len(each.merchant) > 1)
    again = msgspec.json.decode(msgspec.json.encode(drawn), type=Scenario)
    file = tmp_path / "scenario.json"
    file.write_bytes(
        msgspec.json.encode(SMALL.with_(merchant={"stock": StockSettings(poll_s=240)}))
    )

    assert drawn.settings == again.settings
    assert 0 == main(["--scenario", str(file)])


def test_scenario_out_of_a_file_is_run_with_its_history(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a failure prints can be given back, and tells all that happened."""
    file = tmp_path / "scenario.json"
    file.write_bytes(msgspec.json.encode(SMALL))
    code = main(["--scenario", str(file), "--history"])
    said = capsys.readouterr().out

    assert 0 == code
    assert "OrdersRead" in said
    assert "process 1 begins, epoch 1" in said
    assert "BROKEN" not in said


def test_sitting_goes_on_where_the_last_one_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hundred thousand seeds are run in more than one sitting."""
    file = tmp_path / "sitting.json"
    Tally(seeds=41, next_seed=42, virtual_s=86_400.0).keep(file)
    main(["--seeds", "1..42", "--resume", str(file), "--failures", "0"])
    tally = msgspec.json.decode(file.read_bytes(), type=Tally)

    assert (42, 43) == (tally.seeds, tally.next_seed)
    assert "going on with seed 42" in capsys.readouterr().err


@pytest.mark.timeout(120)
def test_seeds_in_two_processes_are_the_seeds_in_one() -> None:
    """Jobs change how long it takes, and nothing else."""
    reached, tally = 0, Tally()
    for reached, chunk in chunks(41, 46, 2):  # noqa: B007 - the last one counts
        tally.add(chunk)

    assert 47 == reached
    assert run_span(41, 46) == tally
