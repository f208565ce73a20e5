"""Results that are kept: few of them, and no longer than what they are about."""

from __future__ import annotations

import gc

import pytest

from thfem_core.loaded import Kept, KeptWith


class Owner:
    """Something that results are about."""


def test_the_last_few_are_kept():
    made: list[int] = []
    kept: Kept[int] = Kept(2)
    for key in (1, 2, 1, 3, 1, 2):
        assert kept.get_or_make(key, lambda key=key: made.append(key) or 10 * key) == 10 * key
    assert made == [1, 2, 3, 2]  # 2 went for 3, as it had not been used for longest
    assert kept.get(3) is None and kept.get(1) == 10
    kept.clear()
    assert kept.get(1) is None


def test_without_a_key_nothing_is_kept_and_errors_pass_through():
    kept: Kept[list[int]] = Kept(2)
    assert kept.get_or_make(None, list) is not kept.get_or_make(None, list)

    def broken() -> list[int]:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        kept.get_or_make("key", broken)
    assert kept.get_or_make("key", list) == []


def test_results_about_an_object_go_with_it():
    kept: KeptWith[object] = KeptWith(most=1)
    owner, other = Owner(), Owner()
    first = kept.get_or_make(owner, "a", object)
    assert kept.get_or_make(owner, "a", object) is first
    assert kept.get_or_make(other, "a", object) is not first
    kept.get_or_make(owner, "b", object)
    assert kept.get_or_make(owner, "a", object) is not first  # one per object
    del owner
    gc.collect()
    assert len(kept._results) == 1
    assert kept.get_or_make(3, "a", object) is not kept.get_or_make(3, "a", object)  # numbers have no weak references
