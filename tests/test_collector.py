"""Memory that is given back."""

import platform
import subprocess
import sys

import pytest

LISTED = """
import resource, sys, threading
from lxml import etree
from kcjl.collector import give_back_freed

def resident_mb():
    with open("/proc/self/statm") as told:
        return int(told.read().split()[1]) * resource.getpagesize() / 1e6

kept = []

def read():
    rows = (f'<item kind="row"><code kind="text">A-{n}</code></item>' for n in range(50_000))
    root = etree.fromstring("<list>" + "".join(rows) + "</list>")
    kept.append(etree.fromstring("<kept/>"))

before = resident_mb()
thread = threading.Thread(target=read)
thread.start()
thread.join()
give_back_freed()
print(resident_mb() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps the heap")
def test_memory_of_a_long_document_is_given_back_once_it_is_gone() -> None:
    """What a catalogue's list took in a thread does not stay with the process."""
    told = subprocess.run(
        [sys.executable, "-c", LISTED], capture_output=True, check=True, text=True
    )

    assert float(told.stdout) < 20
