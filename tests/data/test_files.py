"""The files beside the presets: scikit-learn's copies, byte for byte."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from tuitrain.data import files
from tuitrain.spec.catalogue import preset_directory

COURSE = json.loads((Path(__file__).parents[1] / "reference" / "course.json").read_text("utf-8"))
DATA = preset_directory() / "data"


@pytest.mark.parametrize("name", ["iris.csv", "digits.csv.gz"])
def test_files_are_those_that_the_readme_names(name):
    readme = (DATA / "README.md").read_text("utf-8")
    (sha256,) = re.findall(rf"`{name}`.*`([0-9a-f]{{64}})`", readme)
    assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == sha256


def test_iris():
    iris = files.iris()
    assert iris.x.shape == (150, 4)
    assert iris.classes == ("setosa", "versicolor", "virginica")
    assert iris.y.tolist() == [0] * 50 + [1] * 50 + [2] * 50
    np.testing.assert_array_equal(iris.x, iris.x.round(1))
    # the rows in which UCI's copy is wrong
    assert iris.x[34].tolist() == [4.9, 3.1, 1.5, 0.2]
    assert iris.x[37].tolist() == [4.9, 3.6, 1.4, 0.1]


def test_iris_summary_is_the_published_one():
    """Least, greatest, mean, standard deviation: scikit-learn's description of the data."""
    x = files.iris().x
    assert x.min(axis=0).tolist() == [4.3, 2.0, 1.0, 0.1]
    assert x.max(axis=0).tolist() == [7.9, 4.4, 6.9, 2.5]
    np.testing.assert_allclose(x.mean(axis=0), [5.84, 3.05, 3.76, 1.20], atol=0.0075)
    np.testing.assert_allclose(x.std(axis=0, ddof=1), [0.83, 0.43, 1.76, 0.76], atol=0.006)


def test_iris_is_shuffled_and_parted_as_in_the_course(rows):
    data = rows("iris", shuffle=116, test=0.2)
    assert (len(data.x), len(data.x_test)) == (120, 30)
    assert data.labels(data.y_test).tolist() == COURSE["iris"]["test_labels"]
    # the course's program, on its own copy of the rows
    x, y = files.iris().x.copy(), files.iris().y.copy()
    for values in (x, y):
        np.random.RandomState(116).shuffle(values)
    np.testing.assert_array_equal(data.x, x[:-30])
    np.testing.assert_array_equal(data.x_test, x[-30:])
    np.testing.assert_array_equal(data.labels(data.y), y[:-30])
    assert data.x.dtype == np.float64


def test_digits():
    digits = files.digits()
    assert digits.x.shape == (1797, 64)
    assert (digits.x.min(), digits.x.max()) == (0, 1)
    np.testing.assert_array_equal(digits.x * 16, (digits.x * 16).round())
    # rows of each digit: UCI's description of the test part
    counts = np.bincount(digits.y.astype(int)).tolist()
    assert counts == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert digits.classes == tuple("0123456789")


def test_the_first_digit_is_a_nought():
    image = files.digits().x[0].reshape(8, 8)
    assert files.digits().y[0] == 0
    assert image[3].tolist() == [0, 4 / 16, 12 / 16, 0, 0, 8 / 16, 8 / 16, 0]
    assert files.digits().inputs[8 * 3 + 2] == "pixel 4,3"


def test_shared_rows_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        files.iris().x[0, 0] = 1
