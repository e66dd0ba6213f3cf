# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import gc
import threading
import weakref

import pytest

from datadog_checks.kubelet_compliance.node.worker import OutOfPatience, Worker

LONG = 20.0
SHORT = 0.01


class Something:
    """An object that can be seen to go."""


def test_the_answer_of_the_work_is_handed_on_and_it_runs_in_a_thread_of_its_own() -> None:
    assert Worker().run(threading.get_ident, LONG) != threading.get_ident()


def test_what_the_work_raises_is_raised_to_who_asked() -> None:
    worker = Worker()
    with pytest.raises(ZeroDivisionError):
        worker.run(lambda: 1 // 0, LONG)
    assert worker.run(lambda: 2, LONG) == 2


def test_the_same_thread_serves_again_and_again() -> None:
    worker = Worker()
    assert len({worker.run(threading.get_ident, LONG) for _ in range(5)}) == 1


def test_while_work_is_stuck_no_other_begins_and_afterwards_it_goes_on() -> None:
    worker, event, begun = Worker(), threading.Event(), []
    with pytest.raises(OutOfPatience):
        worker.run(event.wait, SHORT)
    for _ in range(3):
        with pytest.raises(OutOfPatience):
            worker.run(lambda: begun.append(1), LONG)
    assert worker.is_stuck()
    assert begun == []
    event.set()
    assert worker.stuck is not None
    worker.stuck.outcome.put(worker.stuck.outcome.get(timeout=LONG))
    assert not worker.is_stuck()
    assert worker.run(lambda: 3, LONG) == 3
    assert begun == []


@pytest.mark.parametrize('seconds', [0.0, -1.0])
def test_without_time_nothing_begins(seconds: float) -> None:
    begun: list[int] = []
    worker = Worker()
    with pytest.raises(OutOfPatience):
        worker.run(lambda: begun.append(1), seconds)
    assert worker.run(lambda: list(begun), LONG) == []


def test_where_no_thread_can_be_started_there_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    worker = Worker()
    with monkeypatch.context() as patch, pytest.raises(OutOfPatience):
        patch.setattr(threading.Thread, 'start', start)
        worker.run(lambda: 1, LONG)
    assert worker.run(lambda: 1, LONG) == 1


def test_the_thread_ends_with_its_worker() -> None:
    worker = Worker()
    worker.run(lambda: 1, LONG)
    thread = worker.thread
    assert thread is not None and thread.is_alive() and thread.daemon
    del worker
    gc.collect()
    thread.join(LONG)
    assert not thread.is_alive()


def test_while_it_waits_nothing_of_the_last_work_is_kept() -> None:
    worker, something = Worker(), Something()
    gone = weakref.ref(something)
    worker.run(lambda kept=something: None, LONG)
    del something
    # The next work begins only after the thread has let go of the one before.
    worker.run(lambda: 1, LONG)
    gc.collect()
    assert gone() is None
