"""The law suite's asserts are told in full."""

import pytest

pytest.register_assert_rewrite("tests.calls.laws")
