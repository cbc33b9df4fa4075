"""The exceptions of Deferreds."""

from torsion.internet.defer import FailureGroup, FirstError, NotACoroutineError
from torsion.python.failure import Failure


def failure(text):
    try:
        raise ValueError(text)
    except ValueError:
        return Failure()


class TestFirstError:
    def test_what_it_says(self):
        first = failure("text")
        error = FirstError(first, 3)
        assert repr(error) == "FirstError[#3, ValueError('text')]"
        assert str(error) == f"FirstError[#3, {first}]"
        assert error.args == (first, 3)

    def test_equality(self):
        first, second = failure("one"), failure("two")
        assert FirstError(first, 1) == FirstError(first, 1)
        assert hash(FirstError(first, 1)) == hash(FirstError(first, 1))
        assert FirstError(first, 1) != FirstError(first, 2)
        assert FirstError(first, 1) != FirstError(second, 1)
        assert FirstError(first, 1) != 1


def test_failure_group():
    failures = [failure("one"), failure("two")]
    error = FailureGroup(failures)
    assert error.failures == failures
    assert str(error) == "2 failed: ValueError('one'); ValueError('two')"


def test_a_wrong_argument_is_a_type_error():
    assert issubclass(NotACoroutineError, TypeError)
