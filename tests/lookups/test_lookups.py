"""Host names and files in lists of networks, looked up again and again, without waiting."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyruse.addresses import Network, parse_network
from pyruse.lookups.host_names import NameAnswer
from pyruse.lookups.lookups import Lookups
from pyruse.options.networks import Networks
from pyruse.state.tables import Table
from pyruse.testing import wait_until
from pyruse.testing.waiting import TIME_LIMIT

MINUTE = 60_000_000


class Names:
    """A name server of the test's own."""

    def __init__(self) -> None:
        self.answers: dict[str, NameAnswer] = {}
        self.asked: list[str] = []
        self.open = threading.Event()
        """Until it is set, nobody gets an answer."""
        self.open.set()

    def know(self, name: str, *texts: str) -> None:
        found: dict[int, list[Network]] = {4: [], 6: []}
        for text in texts:
            network = parse_network(text)
            found[network.version].append(network)
        self.answers[name] = NameAnswer(found)

    def fail(self, name: str, fault: str = "Temporary failure in name resolution") -> None:
        self.answers[name] = NameAnswer(fault=fault)

    def __call__(self, name: str) -> NameAnswer:
        assert self.open.wait(TIME_LIMIT)
        self.asked.append(name)
        return self.answers.get(name) or NameAnswer(fault="Name or service not known")


class Machine:
    """Lookups with a clock and a name server of the test's own."""

    def __init__(self, *items: str, memory: Table | None = None, names: Names | None = None):
        self.names = names or Names()
        self.now = 1_773_489_600_000_000
        self.told: list[tuple[str, str]] = []
        self.networks = Networks.parse(list(items))
        self.memory = Table() if memory is None else memory
        self.wakes = 0
        self.lookups = Lookups(
            [self.networks], self.memory, lambda *told: self.told.append(told), lambda: self.now,
            self.names,
        )  # fmt: skip

    def wake(self) -> None:
        self.wakes += 1

    def start(self) -> Machine:
        self.lookups.start(self.wake)
        return self

    @property
    def held(self) -> list[str]:
        return sorted(str(one.network_address) for one in self.networks)

    def wait_for_answer(self, number: int) -> None:
        """Wait until so many questions are answered."""
        wait_until(lambda: len(self.names.asked) == number)
        wait_until(lambda: self.lookups.update() or self.lookups.next_due())

    def wait_for(self, *texts: str) -> None:
        """Do as the main loop does, until the list stands for these."""

        def held() -> list[str]:
            self.lookups.update()
            return self.held

        wait_until(held, lambda held: held == sorted(texts))


@pytest.fixture
def machine() -> Iterator[Callable[..., Machine]]:
    made: list[Machine] = []

    def make(*items: str, **options) -> Machine:
        made.append(Machine(*items, **options))
        return made[-1]

    yield make
    for one in made:
        one.names.open.set()
        one.lookups.close()


def test_a_host_name_stands_for_its_addresses(machine):
    home = machine("192.0.2.1", "home.example.net")
    home.names.know("home.example.net", "203.0.113.5", "2001:db8::5")
    assert home.held == ["192.0.2.1"]
    home.start().wait_for("192.0.2.1", "2001:db8::5", "203.0.113.5")
    assert home.wakes == 1
    assert home.told == []


def test_it_is_asked_for_again_and_nobody_is_woken_meanwhile(machine):
    home = machine("home.example.net")
    home.names.know("home.example.net", "203.0.113.5")
    home.start().wait_for("203.0.113.5")
    home.names.know("home.example.net", "203.0.113.6")
    assert home.lookups.next_due() == home.now + 5 * MINUTE
    home.now += 5 * MINUTE - 1
    home.lookups.update()
    assert home.names.asked == ["home.example.net"]
    home.now += 1
    home.wait_for("203.0.113.6")
    assert home.names.asked == ["home.example.net"] * 2


def test_several_names_are_asked_for_in_one_go(machine):
    several = machine(*(f"{name}.example.net" for name in "abc"))
    for number, name in enumerate("abc"):
        several.names.know(f"{name}.example.net", f"203.0.113.{number}")
        several.now += 1000
    several.start().wait_for(*(f"203.0.113.{number}" for number in range(3)))
    several.now = several.lookups.next_due()
    several.lookups.update()
    wait_until(lambda: len(several.names.asked) == 6)


def test_a_name_server_that_does_not_answer_holds_up_nobody(machine):
    home = machine("home.example.net")
    home.names.open.clear()
    home.start()
    home.now += 60 * MINUTE
    assert home.lookups.update() is False
    assert home.lookups.next_due() is None, "an answer is awaited, and it wakes the loop"
    home.names.know("home.example.net", "203.0.113.5")
    home.names.open.set()
    home.wait_for("203.0.113.5")
    assert home.names.asked == ["home.example.net"], "asked once, however long it takes"


def test_an_answer_that_fails_leaves_the_last_one_and_is_told_once(machine):
    home = machine("home.example.net")
    home.names.know("home.example.net", "203.0.113.5")
    home.start().wait_for("203.0.113.5")
    home.names.fail("home.example.net")
    for times in range(2, 6):
        home.now = home.lookups.next_due()
        home.lookups.update()
        home.wait_for_answer(times)
    assert home.held == ["203.0.113.5"]
    assert home.told == [
        (
            "home.example.net",
            "cannot be resolved: Temporary failure in name resolution; what it was last still "
            "counts: 203.0.113.5",
        )
    ]
    home.names.know("home.example.net", "203.0.113.6")
    home.now = home.lookups.next_due()
    home.wait_for("203.0.113.6")
    assert home.lookups.faults == {}


def test_a_name_that_fails_is_asked_for_sooner_at_first(machine):
    home = machine("home.example.net")
    home.start()
    waits = []
    for times in range(1, 8):
        home.wait_for_answer(times)
        waits.append((home.lookups.next_due() - home.now) // 1_000_000)
        home.now = home.lookups.next_due()
        home.lookups.update()
    assert waits == [15, 30, 60, 120, 240, 300, 300]


def test_the_last_answer_counts_after_a_restart(machine):
    memory, names = Table(), Names()
    names.know("home.example.net", "203.0.113.5", "2001:db8::5")
    first = machine("home.example.net", "old.example.net", memory=memory, names=names).start()
    names.know("old.example.net", "203.0.113.9")
    first.wait_for("203.0.113.5", "2001:db8::5", "203.0.113.9")
    names.fail("home.example.net")
    second = machine("home.example.net", memory=memory, names=names)
    assert second.held == ["2001:db8::5", "203.0.113.5"]
    assert list(memory) == ["home.example.net"], "what nobody names any more is forgotten"


def test_a_family_that_could_not_be_asked_for_keeps_its_addresses(machine):
    home = machine("home.example.net")
    home.names.know("home.example.net", "203.0.113.5", "2001:db8::5")
    home.start().wait_for("203.0.113.5", "2001:db8::5")
    home.names.answers["home.example.net"] = NameAnswer({4: [parse_network("203.0.113.6")]})
    home.now = home.lookups.next_due()
    home.wait_for("203.0.113.6", "2001:db8::5")


def test_a_start_waits_for_names_that_are_not_known_and_not_for_long(machine):
    names = Names()
    names.know("home.example.net", "203.0.113.5")
    fresh = machine("home.example.net", names=names)
    fresh.lookups.settle(TIME_LIMIT, known=False)
    assert fresh.held == ["203.0.113.5"]
    names.open.clear()
    fresh.lookups.settle(TIME_LIMIT, known=False)  # it is known: nobody waits
    other = machine("other.example.net", names=names)
    other.lookups.settle(0.01)
    assert other.told == [
        (
            "other.example.net",
            "no answer within 0.01 s; it stands for nobody until it can be (expected a host name "
            "that is known)",
        )
    ]


def test_after_a_clock_that_was_years_ahead_names_are_asked_for(machine):
    home = machine("home.example.net")
    home.names.know("home.example.net", "203.0.113.5")
    home.now += 10_000_000 * MINUTE
    home.start().wait_for("203.0.113.5")
    home.now -= 10_000_000 * MINUTE
    home.names.know("home.example.net", "203.0.113.6")
    home.wait_for("203.0.113.6")


# -- Files


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "lists"
    folder.mkdir()
    one = folder / "never.txt"
    one.write_text("# the office\n203.0.113.5 ; me\n\n2001:db8::/32\n")
    return one


def replace_it(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def write_it(file: Path, text: str) -> None:
    file.write_text(text)


def remove_and_make_it(file: Path, text: str) -> None:
    file.unlink()
    file.write_text(text)


@pytest.mark.parametrize("change", [replace_it, write_it, remove_and_make_it])
def test_a_file_is_read_again_when_it_changes(machine, file, change):
    office = machine(f"file:{file}").start()
    assert office.held == ["2001:db8::", "203.0.113.5"]
    assert office.lookups.next_due() is None, "nobody is woken while nothing changes"
    for number in range(3):
        change(file, f"203.0.113.{number}\n")
        # As the main loop does: sleep until a descriptor is readable, or something is due.
        assert select.select(office.lookups.descriptors(), [], [], TIME_LIMIT)[0]
        office.wait_for(f"203.0.113.{number}")


def test_a_link_that_leads_elsewhere(machine, file, tmp_path):
    link = tmp_path / "link.txt"
    link.symlink_to(file)
    office = machine(f"file:{link}").start()
    assert office.held == ["2001:db8::", "203.0.113.5"]
    replace_it(file, "203.0.113.6\n")
    office.wait_for("203.0.113.6")
    (tmp_path / "other").write_text("203.0.113.7\n")
    (tmp_path / "new").symlink_to("other")
    (tmp_path / "new").replace(link)
    office.wait_for("203.0.113.7")


def test_a_file_that_is_not_there_yet(machine, tmp_path):
    file = tmp_path / "a" / "b" / "never.txt"
    office = machine(f"file:{file}").start()
    ((source, fault),) = office.told
    assert source == f"file:{file}"
    assert fault == (
        "cannot be read: No such file or directory (expected a file that Pyruse's user may read)"
    )
    file.parent.mkdir(parents=True)
    file.write_text("203.0.113.5\n")
    office.wait_for("203.0.113.5")
    assert office.lookups.faults == {}


def test_a_file_that_goes_leaves_what_it_held(machine, file):
    office = machine(f"file:{file}").start()
    file.unlink()
    wait_until(lambda: office.lookups.update() or office.told)
    assert office.held == ["2001:db8::", "203.0.113.5"]
    assert office.told[0][1].endswith("; what it held last still counts")


def test_what_a_file_held_counts_after_a_restart_without_it(machine, file):
    memory = Table()
    machine(f"file:{file}", memory=memory)
    file.unlink()
    second = machine(f"file:{file}", memory=memory)
    assert second.held == ["2001:db8::", "203.0.113.5"]
    assert second.told[0][1].endswith("; what it held last still counts")
    file.write_text("203.0.113.6\n")
    assert machine(f"file:{file}", memory=memory).held == ["203.0.113.6"]


def test_a_long_file_is_not_remembered(machine, file):
    memory = Table()
    machine(f"file:{file}", memory=memory)
    file.write_text("".join(f"203.0.{number >> 8}.{number & 255}\n" for number in range(1001)))
    assert len(machine(f"file:{file}", memory=memory).held) == 1001
    assert list(memory) == []
    file.unlink()
    third = machine(f"file:{file}", memory=memory)
    assert third.held == []
    assert not third.told[0][1].endswith("; what it held last still counts")


def test_lines_that_are_no_networks_are_told_and_the_others_count(machine, file):
    file.write_text("203.0.113.5\nhome.example.net\n203.0.113.6 # x\nnobody\n")
    office = machine(f"file:{file}")
    assert office.held == ["203.0.113.5", "203.0.113.6"]
    assert office.told == [
        (
            f"file:{file}",
            'line 2: "home.example.net" is no network (expected an address or "192.168.1.0/24", '
            '"2001:db8::/32"); line 4: "nobody" is no network (expected an address or '
            '"192.168.1.0/24", "2001:db8::/32")',
        )
    ]


def test_a_fifo_as_a_file_is_not_waited_for(machine, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    office = machine(f"file:{tmp_path}/fifo")
    assert "it is a FIFO" in office.told[0][1]


def test_a_kernel_that_gives_no_notice(machine, file, monkeypatch):
    def refuse(_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("pyruse.system.inotify.Inotify.__init__", refuse)
    monkeypatch.setattr("pyruse.lookups.lookups._LOOK_S", 0.0)
    office = machine(f"file:{file}").start()
    assert office.lookups.descriptors() == ()
    assert office.lookups.next_due() is not None
    replace_it(file, "203.0.113.6\n")
    office.wait_for("203.0.113.6")


def test_nothing_is_to_be_looked_up(machine):
    plain = machine("192.0.2.0/24").start()
    assert not plain.lookups
    assert (plain.lookups.update(), plain.lookups.next_due()) == (False, None)
    assert plain.lookups.descriptors() == ()
