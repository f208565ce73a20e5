"""Taking VGG's convolutions out of another package's pickle, which must not be able to run anything."""

from __future__ import annotations

import io
import os
import pickle

import numpy as np
import pytest

from training.convert_lpips import CONVOLUTIONS, ArraysOnly, find_kernels


def test_arrays_come_through() -> None:
    tree = {"Conv_0": {"kernel": np.arange(6.0).reshape(2, 3), "bias": np.ones(3, np.float32)}, "name": "vgg"}
    for named in (lambda data: data, lambda data: data.replace(b"numpy._core.", b"numpy.core.")):
        read = ArraysOnly(io.BytesIO(named(pickle.dumps(tree, protocol=3)))).load()
        np.testing.assert_array_equal(read["Conv_0"]["kernel"], tree["Conv_0"]["kernel"])
        assert read["Conv_0"]["bias"].dtype == np.float32 and read["name"] == "vgg"


@pytest.mark.parametrize("harm", [os.system, eval, np.load])
def test_program_code_does_not(harm) -> None:
    class Harm:
        def __reduce__(self):
            return harm, ("echo harm",)

    with pytest.raises(pickle.UnpicklingError, match="has no place in a file of weights"):
        ArraysOnly(io.BytesIO(pickle.dumps(Harm()))).load()


def test_kernels_are_found_in_the_order_of_their_numbers() -> None:
    """Ten comes after nine; heads of other sizes are passed over."""
    numbers = list(range(len(CONVOLUTIONS)))
    convolutions = {
        f"Conv_{i}": {"kernel": np.full((3, 3, 1, 1), float(i)), "bias": np.array([float(i)])}
        for i in reversed(numbers)
    }
    tree = {"params": {"VGG16_0": convolutions, "NetLinLayer_0": {"kernel": np.ones((1, 1, 4, 1)), "bias": np.ones(1)}}}
    found = find_kernels(tree)
    assert [float(kernel[0, 0, 0, 0]) for kernel, _ in found] == numbers
    assert [float(bias[0]) for _, bias in found] == numbers
