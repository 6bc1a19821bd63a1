"""Hypothesis without a deadline: a machine under load is no bug, and no database, so that a run depends on nothing before it."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("api", deadline=None, database=None)
settings.load_profile("api")
