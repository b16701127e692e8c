"""A pytest plugin for `make mutants`: the quick tests first, and no failure made smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import Phase, settings

if TYPE_CHECKING:
    import pytest

# That a test fails is all that counts, and the same mutants have to survive in every run.
settings.register_profile(
    "hasty", phases=[Phase.explicit, Phase.generate], derandomize=True, database=None
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tables of cases before the properties, which take longer."""
    items.sort(key=lambda item: hasattr(getattr(item, "obj", None), "hypothesis"))
