"""A contract for import-linter: the third-party packages that modules may import. import-linter's own kinds can only forbid by name."""

from __future__ import annotations

import sys
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class OnlyThese(Contract):
    """Modules and their submodules may import the standard library, this project, and of third parties only what is listed.

    Imports inside functions count, those for type checking too. What the project's modules may import of each other is the layers' to say.
    """

    type_name = "only_these"

    source_modules = fields.ListField(subfield=fields.StringField())
    third_party = fields.ListField(subfield=fields.StringField(), required=False, default=[])
    not_of_the_standard_library = fields.ListField(subfield=fields.StringField(), required=False, default=[])

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002 - import-linter's signature
        """Look at every direct import."""
        wrong: list[dict[str, Any]] = []
        for source in self.source_modules:  # type: ignore[attr-defined]
            for module in sorted({source} | graph.find_descendants(source)):
                for imported in sorted(graph.find_modules_directly_imported_by(module)):
                    if graph.is_module_squashed(imported) and not self._allowed(imported.partition(".")[0]):
                        wrong.extend(graph.get_import_details(importer=module, imported=imported))
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def _allowed(self, package: str) -> bool:
        if package in self.third_party:  # type: ignore[operator]
            return True
        return package in sys.stdlib_module_names and package not in self.not_of_the_standard_library  # type: ignore[operator]

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each import with its line."""
        for item in check.metadata["wrong"]:
            output.print_error(f"{item['importer']} (l. {item['line_number']}): {item['line_contents']}", bold=False)
        output.new_line()
