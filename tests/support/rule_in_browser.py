"""An editor in a real browser who adds a rule with an image, action by action."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import FilePayload, Page

from tests.support.browser import expect_in_force


@dataclass
class Editor:
    """An editor in a browser; *actions* counts presses, typed fields and chosen files."""

    page: Page
    actions: int = 0

    def press(self, role: str, name: str) -> None:
        """Press a link or a button."""
        self.actions += 1
        self.page.get_by_role("link" if role == "link" else "button", name=name, exact=True).click()

    def type(self, label: str, text: str) -> None:
        """Type into a field, key by key."""
        self.actions += 1
        self.page.get_by_placeholder(label).first.press_sequentially(text)

    def choose(self, label: str, file: FilePayload) -> None:
        """Choose a file."""
        self.actions += 1
        self.page.get_by_label(label).set_input_files([file])

    def add_rule(self, keyword: str, image: FilePayload) -> None:
        """Add and publish a rule that answers *keyword* with *image*; the page Rules must be open."""
        self.press("link", "Add a rule")
        self.type("Type one and press Enter", keyword)
        self.choose("Add pictures", image)
        self.press("button", "Publish")
        expect_in_force(self.page)
