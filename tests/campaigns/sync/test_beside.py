"""Work beside a run: whoever does it, it is done and its errors are heard."""

import threading

import pytest
from django.db import connection

from campaigns.models import AccountLease
from campaigns.sync.beside import Beside

APART = "postgresql"


def note(key: str) -> None:
    AccountLease.objects.create(key=key, owner=str(threading.get_ident()))


def fail(why: str) -> None:
    raise RuntimeError(why)


def note_then_fail(beside: Beside) -> None:
    beside.do(note, "done all the same")
    raise ValueError("mine")


@pytest.mark.django_db(transaction=True)
def test_error_of_a_task_comes_out_before_the_block_ends() -> None:
    with pytest.raises(RuntimeError, match="out of paper"), Beside() as beside:
        beside.do(fail, "out of paper")


@pytest.mark.django_db(transaction=True)
def test_error_of_the_owner_comes_before_one_of_the_task() -> None:
    with pytest.raises(ValueError, match="mine"), Beside() as beside:
        note_then_fail(beside)

    assert AccountLease.objects.filter(key="done all the same").exists()


@pytest.mark.django_db(transaction=True)
def test_task_is_done_apart_where_a_second_connection_can_write() -> None:
    with Beside() as beside:
        beside.do(note, "first")
        beside.do(note, "second")
        beside.join()

        done = dict(AccountLease.objects.values_list("key", "owner"))

    assert done.keys() == {"first", "second"}
    apart = str(threading.get_ident()) not in done.values()
    assert apart == (connection.vendor == APART)


@pytest.mark.django_db
def test_task_inside_a_transaction_is_done_at_once_and_undone_with_it() -> None:
    with Beside() as beside:
        beside.do(note, "mine")

        assert AccountLease.objects.get(key="mine").owner == str(threading.get_ident())
